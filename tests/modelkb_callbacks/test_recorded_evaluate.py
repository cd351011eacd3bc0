"""``evaluate`` after a recorded training: the test split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import confusion_matrix

import modelkb_callbacks
from modelkb_callbacks import ModelKB
from modelkb_store import Experiment, Store
from trainings import BUILDERS, Data, Fit, compiled, same_weights, sequential


def metrics_of_test(experiment: Experiment) -> dict[str, float]:
    """The metrics of the test split, by name."""
    rows = experiment.metrics().query("split == 'test'")
    return dict(zip(rows["metric"], rows["value"], strict=True))


# Validation has traced what evaluates before.
@pytest.mark.parametrize(
    ("name", "validated", "as_dataset"),
    [
        ("sequential", True, False),
        ("functional", True, True),
        ("functional", False, False),
        ("subclassed", True, False),
        ("subclassed", False, True),
    ],
)
def test_what_it_returns_is_what_is_recorded(
    name: str, validated: bool, as_dataset: bool, data: Data, fit: Fit
) -> None:
    def train() -> tuple[keras.Model, Any]:
        keras.utils.set_random_seed(4)
        model = compiled(BUILDERS[name]())
        return model, {"validation_split": 0.25} if validated else {}

    def evaluate(model: keras.Model) -> Any:
        if as_dataset:
            batches = tf.data.Dataset.from_tensor_slices((data.x[:50], data.classes[:50])).batch(16)
            return model.evaluate(batches, verbose=0, return_dict=True)
        return model.evaluate(data.x[:50], data.classes[:50], 16, 0, return_dict=True)

    plain, split = train()
    plain.fit(data.x, data.classes, verbose=0, **split)
    expected = evaluate(plain)
    model, _ = train()
    experiment = fit(model, data.x, data.classes, **split).experiment
    assert evaluate(model) == expected
    assert same_weights(model, plain)
    assert metrics_of_test(experiment) == expected
    # As if nobody had looked.
    plain.fit(data.x, data.classes, verbose=0)
    model.fit(data.x, data.classes, verbose=0)
    assert same_weights(model, plain)

    fitted = experiment.metrics().query("split == 'test'")
    assert set(fitted["epoch"]) == {0}
    (row,) = [r for r in experiment.table("evaluations").to_pylist() if r["split"] == "test"]
    assert row["sample_count"] == 50
    assert row["accuracy"] == pytest.approx(expected["accuracy"])
    assert row["dataset_id"] is not None


def test_confusion_matrix(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, validation_split=0.25)
    result = fitted.model.evaluate(data.x[:40], data.classes[:40], verbose=0)
    assert isinstance(result, list)
    predicted = fitted.model(data.x[:40]).numpy().argmax(axis=1)
    expected = confusion_matrix(data.classes[:40], predicted, labels=range(3))
    assert np.array_equal(fitted.experiment.confusion_matrix("test"), expected)
    assert fitted.experiment.confusion_matrix("validation").to_numpy().sum() == 24
    recorded = metrics_of_test(fitted.experiment)
    assert [recorded[name] for name in ("loss", "accuracy")] == result
    rows = fitted.experiment.evaluations()
    assert list(rows["split"]) == ["validation", "test"]
    assert list(rows["source"]) == ["validation_pass", "evaluate"]


def test_several_evaluations(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, epochs=3)
    for count in (10, 20, 20):
        fitted.model.evaluate(data.x[:count], data.classes[:count], verbose=0)
    rows = fitted.experiment.evaluations().query("split == 'test'")
    assert list(rows["sample_count"]) == [10, 20, 20]
    assert rows["dataset_id"].nunique() == 2
    losses = fitted.experiment.metrics().query("split == 'test' and metric == 'loss'")
    assert list(losses["epoch"]) == [2, 2, 2]
    assert fitted.experiment.record.problems == ()


def test_the_users_callbacks_are_left_alone(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes)
    seen: list[Any] = []
    watcher = keras.callbacks.LambdaCallback()
    watcher.on_test_end = seen.append
    callbacks = [watcher]
    for given in (callbacks, (watcher,), watcher, None):
        fitted.model.evaluate(data.x, data.classes, verbose=0, callbacks=given)
    assert callbacks == [watcher]
    assert len(seen) == 3
    assert len(fitted.experiment.evaluations().query("split == 'test'")) == 4


def test_models_that_nobody_recorded(data: Data, fit: Fit, store: Path) -> None:
    fit(compiled(sequential()), data.x, data.classes)  # recording is loaded now
    before = sorted(store.rglob("*"))
    model = compiled(sequential())
    model.evaluate(data.x, data.classes, verbose=0)
    model.fit(data.x, data.classes, verbose=0)
    model.evaluate(data.x, data.classes, verbose=0)
    assert sorted(store.rglob("*")) == before


def test_the_validation_of_a_fit_is_no_evaluation(data: Data, fit: Fit) -> None:
    """Neither of the one that is recorded, nor of a later one that is not."""
    fitted = fit(compiled(sequential()), data.x, data.classes, validation_split=0.25)
    fitted.model.fit(data.x, data.classes, verbose=0, validation_split=0.25)
    assert set(fitted.experiment.metrics()["split"]) == {"train", "validation"}
    assert list(fitted.experiment.evaluations()["split"]) == ["validation"]


def test_within_a_callback_of_the_users(data: Data, store: Path) -> None:
    def train(recorded: bool) -> tuple[keras.Model, list[Any]]:
        keras.utils.set_random_seed(4)
        model = compiled(sequential())
        results: list[Any] = []
        watcher = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: results.append(
                model.evaluate(data.x[:20], data.classes[:20], verbose=0)
            )
        )
        recorder = [ModelKB(store=store, strict=True)] if recorded else []
        history = model.fit(
            data.x,
            data.classes,
            epochs=2,
            verbose=0,
            validation_split=0.25,
            callbacks=[*recorder, watcher],
        )
        return model, [*results, history.history]

    plain, expected = train(False)
    model, results = train(True)
    assert results == expected
    assert same_weights(model, plain)
    (found,) = Store(store).experiments()["experiment_id"]
    experiment = Store(store).experiment(found)
    assert set(experiment.metrics()["split"]) == {"train", "validation"}
    assert experiment.confusion_matrix().to_numpy().sum() == 24


def test_a_model_of_a_block_before_it_is_built(data: Data, store: Path) -> None:
    model = compiled(sequential())
    with modelkb_callbacks.experiment(model, store=store, strict=True) as run:
        result = model.evaluate(data.x, data.classes, verbose=0, return_dict=True)
    experiment = Store(store).experiment(run.experiment_id)
    assert metrics_of_test(experiment) == result
    assert experiment.confusion_matrix("test").to_numpy().sum() == len(data.x)


def test_an_evaluation_that_fails(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes)
    with pytest.raises(ValueError, match=r"shape|incompatible"):
        fitted.model.evaluate(data.x[:, :2], data.classes, verbose=0)
    fitted.model.evaluate(data.x, data.classes, verbose=0)
    assert list(fitted.experiment.evaluations()["split"]) == ["train", "test"]
