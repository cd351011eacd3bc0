from __future__ import annotations

import json
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from modelkb_store.architecture_file import Architecture
from modelkb_store.errors import InvalidSettingError
from modelkb_store.weights.keras_archive import write_keras_archive

_SAVED_AT = datetime(2026, 11, 24, 19, 13, 39, tzinfo=timezone.utc)


@pytest.fixture
def model() -> Any:
    inputs = keras.Input((6, 4))
    hidden = keras.layers.Bidirectional(keras.layers.GRU(3))(inputs)
    inner = keras.Sequential([keras.layers.Dense(5), keras.layers.BatchNormalization()])
    model = keras.Model(inputs, keras.layers.Dense(2, dtype="bfloat16")(inner(hidden)))
    model.compile(keras.optimizers.Adam(0.25), "mse", metrics=["mae"])
    model.fit(np.ones((8, 6, 4)), np.ones((8, 2)), verbose=0)
    return model


def architecture_of(model: Any) -> Architecture:
    config = json.loads(model.to_json())
    config.pop("compile_config", None)
    return Architecture("a" * 32, config, None, keras.__version__, "tensorflow")


def assert_equal_bits(one: Any, other: Any) -> None:
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        assert (ours.dtype, ours.tobytes()) == (theirs.dtype, theirs.tobytes())


def test_keras_loads_the_model_with_equal_bits(tmp_path: Path, model: Any) -> None:
    weights = tmp_path / "a.weights.h5"
    keras.saving.save_weights(model, weights, objects_to_skip=[model.optimizer])
    path = tmp_path / "a.keras"
    write_keras_archive(path, architecture_of(model), weights, saved_at=_SAVED_AT)
    loaded = keras.saving.load_model(path)
    assert_equal_bits(loaded, model)
    assert not loaded.compiled
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("metadata.json")) == {
            "keras_version": keras.__version__,
            "date_saved": "2026-11-24@19:13:39",
        }


def test_compiled_model_is_loaded_compiled(tmp_path: Path, model: Any) -> None:
    weights = tmp_path / "a.weights.h5"
    model.save_weights(weights)  # with the optimizer's state
    write_keras_archive(
        tmp_path / "a.keras",
        architecture_of(model),
        weights,
        saved_at=_SAVED_AT,
        compile_config=json.dumps(model.get_compile_config()),
    )
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert_equal_bits(loaded, model)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for ours, theirs in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()


def test_assets_come_along(tmp_path: Path) -> None:
    lookup = keras.layers.StringLookup(name="words")
    lookup.adapt(["a", "b", "b"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup])
    model.save(tmp_path / "theirs.keras")
    with zipfile.ZipFile(tmp_path / "theirs.keras") as archive:
        names = [n for n in archive.namelist() if n.startswith("assets/") and n[-1] != "/"]
        assets = {name.removeprefix("assets/"): archive.read(name) for name in names}
        archive.extract("model.weights.h5", tmp_path)
    write_keras_archive(
        tmp_path / "a.keras",
        architecture_of(model),
        tmp_path / "model.weights.h5",
        saved_at=_SAVED_AT,
        assets=assets,
    )
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert loaded.layers[0].get_vocabulary() == ["[UNK]", "b", "a"]


def test_model_that_keras_cannot_serialize_has_no_archive(tmp_path: Path) -> None:
    architecture = Architecture("a" * 32, None, None, "3.15", "tensorflow")
    with pytest.raises(InvalidSettingError):
        write_keras_archive(
            tmp_path / "a.keras", architecture, tmp_path / "a.weights.h5", saved_at=_SAVED_AT
        )


def test_missing_weights_leave_nothing(tmp_path: Path, model: Any) -> None:
    with pytest.raises(FileNotFoundError):
        write_keras_archive(
            tmp_path / "a.keras", architecture_of(model), tmp_path / "none", saved_at=_SAVED_AT
        )
    assert list(tmp_path.iterdir()) == []
