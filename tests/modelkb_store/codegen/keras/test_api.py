from __future__ import annotations

import keras

from make_keras_api import API_FILE, write_api
from modelkb_store.codegen.keras import api


def test_table_is_what_the_installed_keras_gives(tmp_path):
    write_api(tmp_path / "api.json")

    made, kept = ((path.read_text()).splitlines() for path in (tmp_path / "api.json", API_FILE))
    assert [line for line in made if line not in kept] == []
    assert made == kept


def test_class_is_found_by_its_public_and_its_inner_place():
    for module in (None, "keras.layers", "keras.src.layers.core.dense", "keras.layers.core.dense"):
        found = api.find_class(module, "Dense")
        assert found is not None
        assert found.spelling == "layers.Dense"
        assert found.required == ("units",)


def test_class_of_one_name_is_found_in_its_own_place():
    spellings = {
        module: api.find_class(module, "CosineSimilarity").spelling
        for module in ("keras.losses", "keras.metrics")
    }

    assert spellings == {
        "keras.losses": "keras.losses.CosineSimilarity",
        "keras.metrics": "keras.metrics.CosineSimilarity",
    }


def test_class_of_others_is_not_found():
    assert api.find_class("my_package.layers", "Dense") is None
    assert api.find_class(None, "Dense; import os") is None


def test_class_is_found_by_the_name_that_its_configuration_has():
    layer = keras.layers.GroupQueryAttention(2, 4, 2)
    entry = keras.saving.serialize_keras_object(layer)

    assert api.find_class(entry["module"], entry["class_name"]) is not None


def test_function_is_found_where_keras_looks_first():
    assert api.find_function("relu") == "keras.activations.relu"
    assert api.find_function("relu", "keras.ops") == "ops.relu"
    assert api.find_function("mean_squared_error", "builtins") == "keras.losses.mean_squared_error"
    assert api.find_function("rgb_to_grayscale") == "ops.image.rgb_to_grayscale"
    assert api.find_function("system") is None


def test_operation_is_found_with_and_without_its_module():
    for module in ("keras.src.ops.numpy", None):
        found = api.find_operation(module, "Mean")
        assert found is not None
        assert found.function == "ops.mean"
        assert list(found.parameters) == ["x", "axis", "keepdims"]
    assert api.find_operation("keras.src.ops.nn", "Mean") is None
