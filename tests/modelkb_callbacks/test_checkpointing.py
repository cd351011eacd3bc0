"""Checkpoints: of every epoch, of the best one so far, and of the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import modelkb_callbacks
from modelkb_callbacks import ModelKB, ModelKBWarning
from modelkb_store import ArtifactNotFoundError, Experiment, Store
from modelkb_store.tables import Tables
from trainings import CLASSES, Data, Fit, compiled, functional, sequential


class Weights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a copy of the weights at the end of every epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.of_epoch: list[list[Any]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.of_epoch.append(self.model.get_weights())


class Scripted(keras.callbacks.Callback):  # type: ignore[misc]
    """Puts values of a metric into the logs, epoch by epoch."""

    def __init__(self, **values: Sequence[float | None]) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, values in self.values.items():
            if values[epoch] is not None:
                logs[name] = values[epoch]
            else:
                logs.pop(name, None)


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def train(
    store: Path, data: Data, *scripted: Scripted, epochs: int = 4, **settings: Any
) -> tuple[Experiment, list[list[Any]]]:
    """Train with a recorder; return the experiment and the weights of each epoch."""
    recorder = ModelKB(store=store, **{"strict": True, **settings})
    watcher = Weights()
    model = compiled(functional())
    callbacks = [*scripted, watcher, recorder]
    model.fit(data.x, data.classes, epochs=epochs, verbose=0, callbacks=callbacks)
    return Store(store).experiment(recorder.experiment_id), watcher.of_epoch


def kept(experiment: Experiment) -> list[tuple[str, int | None]]:
    """Return the kinds and epochs of checkpoints, but for that of the start."""
    rows = experiment.table("checkpoints").sort_by("created_at").to_pylist()
    return [(row["kind"], row["epoch"]) for row in rows if row["kind"] != "initial"]


def test_by_default_only_the_end(store: Path, data: Data) -> None:
    experiment, weights = train(store, data)
    assert kept(experiment) == [("end", None)]
    assert same(experiment.load_model().get_weights(), weights[-1])


@pytest.mark.parametrize("save_weights", [True, False])
def test_every_epoch(save_weights: bool, store: Path, data: Data, tmp_path: Path) -> None:
    experiment, weights = train(store, data, checkpoints="epoch", save_weights=save_weights)
    end = [("end", None)] if save_weights else []
    assert kept(experiment) == [*(("epoch", epoch) for epoch in range(4)), *end]
    for epoch, expected in enumerate(weights):
        assert same(experiment.load_model(epoch).get_weights(), expected)
    assert same(experiment.load_model().get_weights(), weights[-1])

    file = experiment.save_weights(tmp_path / "of_1.weights.h5", 1)
    model = functional()
    model.load_weights(file)
    assert same(model.get_weights(), weights[1])
    archive = experiment.save_model(tmp_path / "of_2.keras", 2)
    loaded = keras.saving.load_model(archive, compile=False)
    assert same(loaded.get_weights(), weights[2])

    with pytest.raises(ArtifactNotFoundError, match="no checkpoint 4, only epoch 0"):
        experiment.load_model(4)
    with pytest.raises(ArtifactNotFoundError, match="no checkpoint 'best'"):
        experiment.save_model(tmp_path / "best.keras", "best")


def test_epochs_can_be_loaded_while_it_trains(store: Path, data: Data) -> None:
    recorder = ModelKB(store=store, strict=True, checkpoints="epoch")
    model = compiled(functional())
    seen = []

    def look(epoch: int, logs: Any) -> None:
        experiment = Store(store).experiment(recorder.experiment_id)
        seen.append(same(experiment.load_model().get_weights(), model.get_weights()))

    looking = keras.callbacks.LambdaCallback(on_epoch_end=look)
    model.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=[recorder, looking])
    assert seen == [True, True]


def test_what_does_not_change_is_stored_once(store: Path, data: Data) -> None:
    model = functional()
    for layer in model.layers[:-1]:
        layer.trainable = False
    recorder = ModelKB(store=store, strict=True, checkpoints="epoch")
    compiled(model).fit(data.x, data.classes, epochs=3, verbose=0, callbacks=[recorder])
    rows = Store(store).experiment(recorder.experiment_id).table("checkpoints").to_pylist()
    ids = [set(row["variable_ids"]) for row in rows]
    frozen = set.intersection(*ids)
    # What the frozen layers have; batch normalization's statistics stand still, too.
    assert len(frozen) == len({*map(str, ids[0])}) - 2
    every = Tables(Store(store).files).read("variables")["variable_id"].to_pylist()
    assert sorted(every) == sorted(set.union(*ids))


@pytest.mark.parametrize("with_validation", [True, False])
def test_the_best_of_a_real_training(with_validation: bool, store: Path, data: Data) -> None:
    recorder = ModelKB(store=store, strict=True, checkpoints="best")
    watcher, model = Weights(), sequential()
    model.compile(keras.optimizers.SGD(2.0), "sparse_categorical_crossentropy")
    split = 0.25 if with_validation else 0.0
    history = model.fit(
        data.x,
        data.classes,
        validation_split=split,
        epochs=6,
        verbose=0,
        callbacks=[watcher, recorder],
    ).history
    metric = "val_loss" if with_validation else "loss"
    best = int(np.argmin(history[metric]))
    experiment = Store(store).experiment(recorder.experiment_id)
    assert sorted(kept(experiment)) == [("best", best), ("end", None)]
    row = experiment.checkpoints().query("kind == 'best'").iloc[0]
    assert (row["metric"], row["value"]) == (metric, history[metric][best])
    assert same(experiment.load_model("best").get_weights(), watcher.of_epoch[best])
    assert same(experiment.load_model("end").get_weights(), watcher.of_epoch[-1])
    assert same(experiment.load_model().get_weights(), watcher.of_epoch[-1])


NAN = float("nan")


@pytest.mark.parametrize(
    ("monitor", "scripted", "best", "value"),
    [
        (None, {"loss": [3, 1, 2, 1]}, 1, 1.0),
        (None, {"loss": [NAN, 5, NAN, 6]}, 1, 5.0),
        (None, {"loss": [1, 2, 3, 4], "val_loss": [4, 3, 2, 3]}, 2, 2.0),
        (None, {"loss": [0.1, 2, 3, 4], "val_loss": [None, 3, None, 2]}, 3, 2.0),
        ("val_accuracy", {"val_accuracy": [0.2, 0.5, 0.4, 0.5]}, 1, 0.5),
        ("val_accuracy", {"val_accuracy": [NAN, NAN, 0.1, NAN]}, 2, 0.1),
        ("mae", {"mae": [3, 2, 1, 5], "val_loss": [1, 2, 3, 4]}, 2, 1.0),
        ("val_f1_score", {"val_f1_score": [float("-inf"), 0, 1, float("inf")]}, 3, float("inf")),
    ],
)
def test_how_the_best_is_chosen(
    monitor: str | None,
    scripted: dict[str, list[float | None]],
    best: int,
    value: float,
    store: Path,
    data: Data,
) -> None:
    settings = {"checkpoints": "best", "monitor": monitor, "save_weights": False}
    experiment, weights = train(store, data, Scripted(**scripted), **settings)
    (row,) = experiment.table("checkpoints").to_pylist()
    assert (row["kind"], row["epoch"], row["value"]) == ("best", best, value)
    assert row["metric"] == (monitor or ("val_loss" if "val_loss" in scripted else "loss"))
    assert same(experiment.load_model().get_weights(), weights[best])


def test_nothing_but_nan_has_no_best(store: Path, data: Data) -> None:
    experiment, _ = train(store, data, Scripted(loss=[NAN] * 4), checkpoints="best")
    assert kept(experiment) == [("end", None)]
    assert experiment.record.problems == ()


def test_a_metric_that_there_is_not_is_told(store: Path, data: Data) -> None:
    with pytest.warns(ModelKBWarning, match="logged no val_acc, but accuracy, loss") as warned:
        experiment, _ = train(
            store,
            data,
            Scripted(val_loss=[1, 2, 3, 4]),
            checkpoints="best",
            monitor="val_acc",
            strict=False,
        )
    assert len(warned) == 1
    assert kept(experiment) == [("end", None)]
    assert len(experiment.record.problems) == 1


def test_several_fits_of_a_block_have_one_best(store: Path, data: Data) -> None:
    model = compiled(functional())
    watcher = Weights()
    settings = {"store": store, "strict": True, "checkpoints": "best"}
    with modelkb_callbacks.experiment(model, **settings) as run:
        for losses in ([3.0, 1.0], [2.0, 4.0]):
            callbacks = [Scripted(loss=losses), watcher]
            model.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=callbacks)
    experiment = Store(store).experiment(run.experiment_id)
    assert experiment.checkpoints().query("kind == 'best'")["value"].tolist() == [1.0]
    assert same(experiment.load_model("best").get_weights(), watcher.of_epoch[1])


def test_who_trains_a_checkpoint_further_finds_its_run(store: Path, data: Data, fit: Fit) -> None:
    experiment, _ = train(store, data, checkpoints="epoch", save_weights=False)
    again = fit(compiled(experiment.load_model(1)), data.x, data.classes).experiment
    assert again.record.parent_experiment_id == experiment.id

    best, _ = train(store, data, Scripted(loss=[1, 0, 2, 3]), checkpoints="best")
    again = fit(compiled(best.load_model("best")), data.x, data.classes).experiment
    assert again.record.parent_experiment_id == best.id


def test_a_run_that_fails_keeps_the_epochs_that_it_had(store: Path, data: Data) -> None:
    def fail(epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise ZeroDivisionError

    recorder, watcher = ModelKB(store=store, strict=True, checkpoints="epoch"), Weights()
    failing = keras.callbacks.LambdaCallback(on_epoch_begin=fail)
    with pytest.raises(ZeroDivisionError):
        compiled(functional()).fit(
            data.x, data.classes, epochs=5, verbose=0, callbacks=[recorder, watcher, failing]
        )
    experiment = Store(store).experiment(recorder.experiment_id)
    assert experiment.record.status == "failed"
    assert kept(experiment) == [("epoch", 0), ("epoch", 1)]
    assert same(experiment.load_model().get_weights(), watcher.of_epoch[1])


def test_the_training_is_the_same_to_the_bit(store: Path, data: Data) -> None:
    def weights(callbacks: list[Any]) -> list[Any]:
        keras.utils.set_random_seed(3)
        model = compiled(sequential(CLASSES))
        model.fit(data.x, data.classes, epochs=3, verbose=0, callbacks=callbacks)
        return list(model.get_weights())

    plain = weights([])
    for which in ("epoch", "best"):
        assert same(weights([ModelKB(store=store, strict=True, checkpoints=which)]), plain)


@pytest.mark.parametrize("wrong", ["last", "EPOCH", 3, True])
def test_a_wrong_setting_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ValueError, match="`checkpoints`"):
        ModelKB(checkpoints=wrong)
