"""Architectures: one file for each, whoever trains it, and Keras can rebuild it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from modelkb_callbacks.architecture import describe_architecture
from modelkb_callbacks.policy_names import with_policy_names
from modelkb_store import ArtifactNotFoundError, ModelLoadError
from trainings import BUILDERS, Data, Fit, compiled, functional, sequential


def ids_of(*models: keras.Model) -> set[str]:
    for model in models:
        model(np.zeros((1, 8), "float32"))
    return {describe_architecture(model).architecture.architecture_id for model in models}


def h5_files(store: Path) -> list[Path]:
    return sorted((store / "objects" / "architectures").rglob("*.h5"))


@pytest.mark.parametrize("name", BUILDERS)
def test_built_twice_in_one_process_is_one_architecture(name: str) -> None:
    assert len(ids_of(*(BUILDERS[name]() for _ in range(3)))) == 1


def test_any_difference_is_another_architecture() -> None:
    plain = functional()
    inputs = keras.Input((8,), name="points")
    unlike = keras.Model(inputs, keras.layers.Dense(3, name="scores")(inputs))
    assert len(ids_of(plain, functional(units=4), functional(activation=None), unlike)) == 4


def test_a_name_that_the_user_gave_counts() -> None:
    one, other = (keras.Sequential([keras.layers.Dense(1, name=n)]) for n in ("first", "second"))
    assert len(ids_of(one, other)) == 2


def test_order_of_numbered_names_counts() -> None:
    """Renumbering keeps the order in which layers were made."""
    first, second = keras.layers.Dense(3), keras.layers.Dense(3)
    in_order = keras.Sequential([first, second])
    swapped_first, swapped_second = keras.layers.Dense(3), keras.layers.Dense(3)
    swapped = keras.Sequential([swapped_second, swapped_first])
    assert len(ids_of(in_order, swapped)) == 2


def test_two_runs_write_one_file(data: Data, store: Path, fit: Fit) -> None:
    for rate in (0.1, 0.01):
        model = sequential()
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        fit(model, data.x, data.classes)
    assert len(h5_files(store)) == 1


def test_file_has_the_attributes_of_keras_own(data: Data, store: Path, fit: Fit) -> None:
    model = compiled(functional())
    fit(model, data.x, data.classes)
    with h5py.File(h5_files(store)[0]) as file:
        attributes = dict(file.attrs)
        # Netron takes an empty group of weights for a damaged file.
        assert "model_weights" not in file
    assert attributes["keras_version"] == keras.__version__
    assert attributes["backend"] == keras.backend.backend()
    # How it was compiled is of one run, the architecture of many.
    assert "training_config" not in attributes
    rebuilt = keras.models.model_from_json(attributes["model_config"])
    config = json.loads(model.to_json())["config"]
    assert json.loads(rebuilt.to_json())["config"] == config
    assert json.loads(attributes["model_config"])["config"] == with_policy_names(config)


def test_a_learning_rate_is_as_short_as_it_was_written(data: Data, fit: Fit) -> None:
    inner = keras.optimizers.Adam(0.001)
    model = functional()
    model.compile(keras.optimizers.LossScaleOptimizer(inner), "sparse_categorical_crossentropy")
    fitted = fit(model, data.x, data.classes, epochs=1)

    optimizer = json.loads(fitted.experiment.model()["compile_config"])["optimizer"]

    assert optimizer["config"]["inner_optimizer"]["config"]["learning_rate"] == 0.001
    loaded = fitted.experiment.load_model().optimizer.inner_optimizer
    assert float(loaded.learning_rate) == float(inner.learning_rate)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of the user's, which Keras cannot serialize."""

    def __init__(self, first: float) -> None:
        self.first = first

    def __call__(self, step: Any) -> Any:
        return self.first / 2 ** keras.ops.cast(step, "float32")


def test_a_schedule_without_a_configuration_takes_nothing_else_along(data: Data, fit: Fit) -> None:
    model = functional()
    metrics = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)]
    model.compile(
        keras.optimizers.SGD(Halving(0.5), momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=metrics,
    )
    fitted = fit(model, data.x, data.classes, epochs=1)

    config = json.loads(fitted.experiment.model()["compile_config"])

    assert config["loss"] == "sparse_categorical_crossentropy"
    assert config["metrics"][0] == "accuracy"
    assert config["metrics"][1]["config"]["k"] == 2
    optimizer = config["optimizer"]
    assert (optimizer["class_name"], optimizer["config"]["momentum"]) == ("SGD", 0.9)
    rate = optimizer["config"]["learning_rate"]
    assert (rate["class_name"], rate["config"]) == ("Halving", {"first": 0.5})


def test_layer_table_of_nested_models(data: Data, fit: Fit) -> None:
    base = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="inner")], name="base")
    base.trainable = False
    inputs = keras.Input((8,), name="points")
    wide = keras.layers.Dense(4, name="wide")(inputs)
    joined = keras.layers.Concatenate(name="joined")([base(inputs), wide])
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="scores")(joined))
    layers = fit(compiled(model), data.x, data.classes).experiment.layers().set_index("path")

    assert "base/inner" in layers.index
    assert list(layers.loc["joined", "inbound"]) == ["base", "wide"]
    assert layers.loc["base/inner", "parameter_count"] == 36
    assert layers.loc["base/inner", "trainable_parameter_count"] == 0
    assert json.loads(layers.loc["joined", "output_shape"]) == [None, 8]
    assert list(layers["position"]) == list(range(len(layers)))


def test_weights_are_kept_without_the_optimizer(data: Data, fit: Fit, tmp_path: Path) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, epochs=1)
    with h5py.File(fitted.experiment.save_weights(tmp_path / "kept.weights.h5")) as file:
        assert "optimizer" not in file
    loaded = fitted.experiment.load_model()
    for one, other in zip(loaded.get_weights(), fitted.model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert loaded.optimizer.__class__.__name__ == "Adam"


class NoConfig(keras.Model):  # type: ignore[misc]
    """A model that Keras cannot serialize."""

    def __init__(self, width: Any) -> None:
        super().__init__()
        self.scores = keras.layers.Dense(3, activation="softmax")
        self.width = width

    def call(self, inputs: Any) -> Any:
        return self.scores(inputs)


def test_model_that_keras_cannot_serialize(data: Data, fit: Fit) -> None:
    with pytest.warns(UserWarning, match=r"layer table of NoConfig.*get_config"):
        fitted = fit(compiled(NoConfig(object())), data.x, data.classes)
    assert list(fitted.experiment.layers()["name"]) == [fitted.model.scores.name]
    assert fitted.experiment.record.status == "finished"
    with pytest.raises(ArtifactNotFoundError, match=r"could not serialize it.*save_weights"):
        fitted.experiment.load_model()


def test_model_that_holds_code_is_not_run_unless_it_is_trusted(data: Data, fit: Fit) -> None:
    inputs = keras.Input((8,))
    doubled = keras.layers.Lambda(lambda x: x * 2, output_shape=(8,))(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(doubled))
    fitted = fit(compiled(model), data.x, data.classes)

    with pytest.raises(ModelLoadError, match="safe_mode=False"):
        fitted.experiment.load_model()
    trusted = fitted.experiment.load_model(safe_mode=False)
    assert np.array_equal(trusted.predict(data.x, verbose=0), model.predict(data.x, verbose=0))


def test_classes_of_the_users_own_are_passed_in(data: Data, fit: Fit) -> None:
    class Doubling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    model = keras.Sequential([keras.Input((8,)), Doubling(), keras.layers.Dense(3)])
    fitted = fit(compiled(model), data.x, data.classes)
    with pytest.raises(ModelLoadError, match="custom_objects"):
        fitted.experiment.load_model()
    loaded = fitted.experiment.load_model(custom_objects={"Doubling": Doubling})
    assert np.array_equal(loaded.predict(data.x, verbose=0), model.predict(data.x, verbose=0))
