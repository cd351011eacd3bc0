"""Hyperparameters, with their source and as people wrote them."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from modelkb_callbacks import ModelKB
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.hyperparameters import collect
from modelkb_store import Store
from trainings import CLASSES, Data, Fit, Subclassed, compiled, sequential


def recorded(fit: Fit, data: Data, **options: Any) -> dict[str, Any]:
    model = sequential()
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **options})
    return fit(model, data.x, data.classes, batch_size=24, epochs=1).experiment.hyperparameters()


def test_of_fit_and_of_compile(data: Data, fit: Fit) -> None:
    optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
    found = recorded(fit, data, optimizer=optimizer)
    assert found["optimizer"] == "SGD"
    assert found["learning_rate"] == 0.01
    assert found["optimizer.momentum"] == 0.9
    assert found["optimizer.nesterov"] is True
    assert found["loss"] == "sparse_categorical_crossentropy"
    assert (found["epochs"], found["batch_size"], found["shuffle"]) == (1, 24, True)


def test_source_of_each(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, settings={"params": {"width": 8}})
    rows = fitted.experiment.table("hyperparameters").to_pylist()
    sources = {row["name"]: row["source"] for row in rows}
    assert (sources["epochs"], sources["optimizer"], sources["width"]) == (
        "fit",
        "compile",
        "user",
    )


def test_learning_rate_schedule(data: Data, fit: Fit) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.96)
    found = recorded(fit, data, optimizer=keras.optimizers.Adam(schedule))
    assert found["learning_rate"]["class_name"] == "ExponentialDecay"
    assert found["learning_rate"]["config"]["initial_learning_rate"] == 0.1


def test_a_loss_of_the_users_own(data: Data, fit: Fit) -> None:
    def gentle(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred) + 0 * keras.ops.mean(keras.ops.cast(y_true, "float32"))

    assert recorded(fit, data, loss=gentle)["loss"] == "gentle"


def test_batch_size_of_a_dataset_is_not_guessed(data: Data, fit: Fit) -> None:
    dataset = tf.data.Dataset.from_tensor_slices((data.x, data.classes)).batch(12)
    fitted = fit(compiled(sequential()), dataset, epochs=1)
    assert "batch_size" not in fitted.experiment.hyperparameters()


def test_numpy_values_and_words_that_only_look_like_secrets(data: Data, fit: Fit) -> None:
    own = {"rate": np.float32(0.5), "sizes": np.array([1, 2]), "max_tokens": 128, "what": object}
    fitted = fit(compiled(sequential()), data.x, data.classes, settings={"params": own})
    found = fitted.experiment.hyperparameters()
    assert (found["rate"], found["sizes"], found["max_tokens"]) == (0.5, [1, 2], 128)
    assert found["what"] == "<class 'object'>"
    rows = fitted.experiment.table("hyperparameters").to_pylist()
    assert {row["name"]: row["number"] for row in rows}["rate"] == 0.5


def test_every_argument_of_fit(data: Data, fit: Fit) -> None:
    weights = {0: 1.0, np.int64(1): np.float32(0.1), 2: 2}
    found = fit(
        compiled(sequential()),
        data.x,
        data.classes,
        batch_size=16,
        epochs=2,
        initial_epoch=1,
        class_weight=weights,
        steps_per_epoch=3,
        shuffle=False,
        validation_split=0.25,
        validation_freq=2,
        sample_weight=None,
    ).experiment.hyperparameters()
    assert found["class_weight"] == {"0": 1.0, "1": 0.1, "2": 2}
    assert (found["initial_epoch"], found["steps_per_epoch"]) == (1, 3)
    assert (found["shuffle"], found["validation_split"]) == (False, 0.25)
    assert (found["validation_freq"], found["verbose"]) == (2, 0)
    assert not {"x", "y", "validation_data", "sample_weight", "callbacks"} & set(found)


def test_sample_weights_are_data(data: Data, fit: Fit) -> None:
    weights = np.ones(len(data.x), "float32")
    fitted = fit(compiled(sequential()), data.x, data.classes, sample_weight=weights)
    found = fitted.experiment.hyperparameters()
    assert found["sample_weight"] == {"shape": [96], "dtype": "float32"}


class OfTheUser(keras.callbacks.Callback):  # type: ignore[misc]
    """Its arguments, and what must not be run."""

    def __init__(self, every: int, data: Any, hook: Any, api_key: str, lost: int = 3) -> None:
        super().__init__()
        self.every = every
        self._data = data
        self.hook = hook
        self.api_key = api_key

    @property
    def lost(self) -> int:
        raise AssertionError("code of the user's was run")

    def __repr__(self) -> str:
        raise AssertionError("code of the user's was run")


def test_callbacks(data: Data, fit: Fit, store: Any) -> None:
    callbacks = [
        keras.callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
        [OfTheUser(2, np.zeros((5000, 2)), test_callbacks, "hunter2")],
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
        keras.callbacks.History(),
        ModelKB(store=store, strict=True),
    ]
    model = compiled(sequential())
    model.fit(data.x, data.classes, verbose=0, callbacks=callbacks)
    experiment_id = callbacks[-1].experiment_id
    found = Store(store).experiment(experiment_id).hyperparameters()["callbacks"]
    assert [item["class_name"] for item in found] == [
        "EarlyStopping",
        "OfTheUser",
        "LearningRateScheduler",
    ]
    early, own, scheduler = (item["config"] for item in found)
    assert (early["patience"], early["restore_best_weights"]) == (3, True)
    assert (early["monitor"], early["min_delta"]) == ("loss", 0)
    assert own == {
        "every": 2,
        "data": {"shape": [5000, 2], "dtype": "float64"},
        "hook": "test_callbacks",
        "api_key": "[redacted]",
    }
    assert scheduler == {"schedule": "<lambda>", "verbose": 0}


def test_a_callback_that_was_used_before(data: Data, fit: Fit, store: Any) -> None:
    early = keras.callbacks.EarlyStopping("loss", min_delta=0.5)
    for _ in range(2):
        recorder = ModelKB(store=store, strict=True)
        model = compiled(sequential())
        model.fit(data.x, data.classes, verbose=0, callbacks=[early, recorder])
        assert recorder.experiment_id is not None
        experiment = Store(store).experiment(recorder.experiment_id)
        (found,) = experiment.hyperparameters()["callbacks"]
        assert found["config"]["min_delta"] == 0.5


def test_whole_compile_configuration(data: Data, fit: Fit) -> None:
    found = recorded(
        fit,
        data,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=7),
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top")],
        weighted_metrics=[keras.metrics.sparse_categorical_crossentropy],
        loss_weights=[0.5],
        steps_per_execution=2,
        run_eagerly=False,
        jit_compile=False,
    )
    assert found["loss"] == "sparse_categorical_crossentropy"
    assert (found["loss.from_logits"], found["loss.ignore_class"]) == (True, 7)
    assert "loss.reduction" not in found
    assert found["metrics"] == ["accuracy", "top"]
    assert found["metrics.top.k"] == 2
    assert found["weighted_metrics"] == ["sparse_categorical_crossentropy"]
    assert found["loss_weights"] == [0.5]
    assert (found["steps_per_execution"], found["run_eagerly"]) == (2, False)
    assert (found["jit_compile"], found["dtype_policy"]) == (False, "float32")
    assert "auto_scale_loss" not in found


def test_losses_of_several_outputs(data: Data, fit: Fit) -> None:
    inputs = keras.Input((8,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    losses = {"a": keras.losses.Huber(delta=2.0), "b": "mse"}
    model.compile("sgd", losses, metrics={"a": ["mae"]}, loss_weights={"a": 0.2, "b": 0.8})
    targets = {"a": data.numbers, "b": data.numbers}
    found = fit(model, data.x, targets).experiment.hyperparameters()
    assert found["loss"] == {"a": "huber_loss", "b": "mse"}
    assert found["loss.huber_loss.delta"] == 2.0
    assert found["metrics"] == {"a": ["mae"]}
    assert found["loss_weights"] == {"a": 0.2, "b": 0.8}


@pytest.mark.parametrize("wrapped", [True, False])
def test_mixed_precision(data: Data, fit: Fit, wrapped: bool) -> None:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(sequential(), auto_scale_loss=wrapped)
        found = fit(model, data.x, data.classes).experiment.hyperparameters()
    finally:
        keras.config.set_dtype_policy(policy)
    assert (found["dtype_policy"], found["auto_scale_loss"]) == ("mixed_float16", wrapped)
    assert (found["optimizer"], found["learning_rate"]) == ("Adam", 0.001)
    assert found.get("loss_scale.initial_scale") == (32768.0 if wrapped else None)


class Halving(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule of the user's, without get_config."""

    def __init__(self, start: float) -> None:
        self.start = start

    def __call__(self, step: Any) -> Any:
        return self.start / (1 + keras.ops.cast(step, "float32"))


def test_a_schedule_of_the_users_own(data: Data, fit: Fit) -> None:
    found = recorded(fit, data, optimizer=keras.optimizers.SGD(Halving(0.5), momentum=0.5))
    assert found["learning_rate"] == {"class_name": "Halving", "config": {"start": 0.5}}
    assert found["optimizer.momentum"] == 0.5


def test_the_run_wins_over_the_source() -> None:
    model = compiled(sequential())
    call = FitCall({"batch_size": 16})
    values = {"batch_size": 8, "learning_rate": 0.5, "units": 8, "width": 3, "epochs": 2}
    scanned = {name: (value, "scanner") for name, value in values.items()}
    records = collect("run", model, call, {"epochs": 9}, {"width": 4}, scanned=scanned)
    found = {record.name: (record.number, record.source) for record in records}
    assert found["batch_size"] == (16, "fit")
    assert found["epochs"] == (9, "fit")
    assert found["learning_rate"] == (0.001, "compile")
    assert found["width"] == (4, "user")
    assert found["units"] == (8, "scanner")


def test_large_values_are_bounded() -> None:
    call = FitCall({"class_weight": dict.fromkeys(range(1000), 0.5)})
    user = {"per_sample": list(range(100_000)), "text": "x" * 100_000}
    records = collect("run", compiled(sequential()), call, {}, user)
    values = {record.name: record.value for record in records}
    assert values["class_weight"].count(":0.5") == 1000
    assert all(len(value) < 20_000 for value in values.values())
    assert "98,000 more" in values["per_sample"]


class Unserializable(keras.Model):  # type: ignore[misc]
    """A model whose arguments Keras cannot write down."""

    def __init__(self, units: int, rates: list[float], scale: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self._rates = units, rates
        self.scale = scale
        self.scores = keras.layers.Dense(units, activation="softmax")

    def call(self, inputs: Any) -> Any:
        return self.scores(inputs * self.scale(1.0))


def test_a_model_that_keras_cannot_serialize(data: Data, fit: Fit) -> None:
    model = Unserializable(CLASSES, [0.1, 0.2], lambda x: x, name="own")
    experiment = fit(compiled(model), data.x, data.classes).experiment
    rows = experiment.table("hyperparameters").to_pylist()
    of_model = {row["name"] for row in rows if row["source"] == "model"}
    assert of_model == {"model.units", "model.rates", "model.scale"}
    found = experiment.hyperparameters()
    assert (found["model.units"], found["model.rates"]) == (CLASSES, [0.1, 0.2])


def test_a_model_that_keras_can_serialize(data: Data, fit: Fit) -> None:
    found = fit(compiled(Subclassed()), data.x, data.classes).experiment.hyperparameters()
    assert not any(name.startswith("model.") for name in found)


def test_metrics_of_an_earlier_compile_that_keras_still_logs(data: Data, fit: Fit) -> None:
    model = compiled(Subclassed())
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.compile("adam", "sparse_categorical_crossentropy")

    experiment = fit(model, data.x, data.classes).experiment

    assert "accuracy" in set(experiment.metrics()["metric"])
    assert experiment.hyperparameters()["metrics"] == ["accuracy"]
    assert json.loads(experiment.model()["compile_config"])["metrics"] == ["accuracy"]
