"""Going on with an experiment whose training was interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from modelkb_callbacks import ModelKB, ModelKBWarning
from modelkb_store import Experiment, ExperimentNotFoundError, Store
from trainings import Data, compiled, functional, sequential
from warm_python import WarmPython


class Stop(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a training with an error after some epochs."""

    def __init__(self, before_epoch: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        super().__init__()
        self.before_epoch = before_epoch
        self.error = error

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.before_epoch:
            raise self.error


class Weights(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a copy of the weights at the end of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.of_epoch: dict[int, list[Any]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.of_epoch[epoch] = self.model.get_weights()


def train(
    model: keras.Model,
    data: Data,
    store: Path,
    *callbacks: keras.callbacks.Callback,
    epochs: int = 4,
    initial_epoch: int = 0,
    **settings: Any,
) -> Experiment:
    recorder = ModelKB(store=store, project="p", strict=True, **settings)
    with contextlib.suppress(KeyboardInterrupt, ZeroDivisionError):
        model.fit(
            data.x,
            data.classes,
            epochs=epochs,
            initial_epoch=initial_epoch,
            verbose=0,
            callbacks=[recorder, *callbacks],
        )
    return Store(store).experiment(recorder.experiment_id)


def epochs_of(experiment: Experiment) -> list[int]:
    rows = experiment.metrics().query("metric == 'loss' and split == 'train'")
    assert list(rows["epoch"]) == list(experiment.epochs()["epoch"])
    return list(rows["epoch"])


def count(store: Path) -> int:
    return len(Store(store).experiments())


@pytest.mark.parametrize("form", ["id", "end of the id", "name", "last"])
def test_an_interrupted_training_goes_on_as_one_experiment(
    form: str, data: Data, store: Path
) -> None:
    model = compiled(sequential())
    first = train(model, data, store, Stop(2), batch_metrics=True)
    assert (first.record.status, first.record.epochs_completed) == ("interrupted", 2)
    resume = {"id": first.id, "end of the id": first.id[-10:], "name": first.record.name}
    again = train(
        model,
        data,
        store,
        initial_epoch=2,
        epochs=5,
        batch_metrics=True,
        resume=resume.get(form, True),
    )
    assert again.id == first.id
    assert count(store) == 1
    record = again.record
    assert (record.status, record.epochs_completed, record.epochs_planned) == ("finished", 5, 5)
    assert record.started_at == first.record.started_at
    assert record.ended_at > first.record.ended_at
    assert record.duration_seconds > first.record.duration_seconds
    assert record.parent_experiment_id == first.record.parent_experiment_id
    assert record.seed == first.record.seed
    assert epochs_of(again) == [0, 1, 2, 3, 4]
    steps = again.batch_metrics().query("metric == 'loss'")["step"]
    assert list(steps) == list(range(1, 16))
    assert list(again.checkpoints()["kind"]).count("end") >= 1
    assert all(
        np.array_equal(one, other)
        for one, other in zip(again.load_model().get_weights(), model.get_weights(), strict=True)
    )


def test_epochs_that_run_again_replace_what_was_recorded(data: Data, store: Path) -> None:
    model = compiled(sequential())
    first = train(model, data, store, Stop(3), checkpoints="epoch", batch_metrics=True)
    assert epochs_of(first) == [0, 1, 2]
    before = first.metrics().query("epoch == 2 and metric == 'loss'")["value"].item()
    watcher = Weights()
    again = train(
        model,
        data,
        store,
        watcher,
        initial_epoch=1,
        resume=True,
        checkpoints="epoch",
        batch_metrics=True,
    )
    assert epochs_of(again) == [0, 1, 2, 3]
    assert again.metrics().query("epoch == 2 and metric == 'loss'")["value"].item() != before
    batches = again.batch_metrics().query("metric == 'loss'")
    assert list(batches["epoch"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    of_epochs = again.checkpoints().query("kind == 'epoch'")["epoch"]
    assert sorted(of_epochs) == [0, 1, 1, 2, 2, 3], "FORMAT.md: of two the later one counts"
    assert all(map(np.array_equal, again.load_model(2).get_weights(), watcher.of_epoch[2]))
    assert again.record.epochs_completed == 4
    listed = Store(store).experiments().iloc[0]
    last = again.metrics().query("epoch == 3 and metric == 'loss'")["value"].item()
    assert listed["metrics.loss"] == last


@pytest.mark.parametrize("initial_epoch", [2, 0])
def test_a_training_that_starts_from_the_beginning_or_goes_on_twice(
    initial_epoch: int, data: Data, store: Path
) -> None:
    model = compiled(sequential())
    first = train(model, data, store, Stop(2))
    train(model, data, store, Stop(3), initial_epoch=initial_epoch, resume=True)
    again = train(model, data, store, initial_epoch=3, resume=True)
    assert (again.id, count(store)) == (first.id, 1)
    assert epochs_of(again) == [0, 1, 2, 3]
    assert again.record.epochs_completed == 4
    assert again.record.problems == (), "it was stopped, but went on"


def test_what_was_missed_before_stays_a_problem(data: Data, store: Path) -> None:
    model = compiled(sequential())
    recorder = ModelKB(store=store, project="p")

    def lose(epoch: int, logs: Any) -> None:
        recorder.run.log_file("missing.txt")

    losing = keras.callbacks.LambdaCallback(on_epoch_end=lose)
    with pytest.warns(ModelKBWarning, match=r"missing\.txt"), pytest.raises(KeyboardInterrupt):
        model.fit(data.x, data.classes, epochs=3, verbose=0, callbacks=[recorder, losing, Stop(1)])
    again = train(model, data, store, initial_epoch=1, resume=True)
    (problem,) = again.record.problems
    assert "missing.txt" in problem


def test_a_resumed_run_keeps_its_parent(data: Data, store: Path) -> None:
    model = compiled(functional())
    parent = train(model, data, store, epochs=1)
    first = train(model, data, store, Stop(2))
    again = train(first.load_model(), data, store, initial_epoch=2, resume=True)
    assert again.id == first.id
    assert again.record.parent_experiment_id == first.record.parent_experiment_id == parent.id


def test_random_states_are_those_of_the_beginning(data: Data, store: Path) -> None:
    model = compiled(sequential())
    first = train(model, data, store, Stop(2))
    states = first.table("random_states").to_pylist()
    assert states
    again = train(model, data, store, initial_epoch=2, resume=True)
    assert again.table("random_states").to_pylist() == states


@pytest.mark.parametrize("why", ["nothing", "finished", "other architecture", "other project"])
def test_with_nothing_to_go_on_with_it_is_a_new_experiment(
    why: str, data: Data, store: Path
) -> None:
    if why == "finished":
        train(compiled(functional()), data, store)
    elif why == "other architecture":
        train(compiled(functional(units=7)), data, store, Stop(2))
    elif why == "other project":
        recorder = ModelKB(store=store, project="other", strict=True)
        with pytest.raises(KeyboardInterrupt):
            compiled(functional()).fit(
                data.x, data.classes, verbose=0, epochs=3, callbacks=[recorder, Stop(1)]
            )
    before = count(store) if why != "nothing" else 0
    again = train(compiled(functional()), data, store, resume=True)
    assert count(store) == before + 1
    assert (again.record.status, epochs_of(again)) == ("finished", [0, 1, 2, 3])
    assert again.record.problems == ()


def test_of_several_the_last_is_gone_on_with(data: Data, store: Path) -> None:
    runs = [train(compiled(functional()), data, store, Stop(1)) for _ in range(2)]
    train(compiled(functional()), data, store)
    failed = train(compiled(functional()), data, store, Stop(2, ZeroDivisionError))
    assert failed.record.status == "failed"
    again = train(compiled(functional()), data, store, initial_epoch=2, resume=True)
    assert again.id == failed.id
    third = train(compiled(functional()), data, store, initial_epoch=1, resume=True)
    assert third.id == runs[1].id
    assert Store(store).experiment(runs[0].id).record.status == "interrupted"


def test_a_finished_run_can_be_gone_on_with_by_its_id(data: Data, store: Path) -> None:
    model = compiled(sequential())
    first = train(model, data, store, epochs=2)
    again = train(model, data, store, initial_epoch=2, epochs=3, resume=first.id)
    assert (again.id, epochs_of(again)) == (first.id, [0, 1, 2])
    assert again.record.epochs_completed == 3


def test_an_unknown_id_is_told_and_the_training_is_recorded_anew(data: Data, store: Path) -> None:
    train(compiled(sequential()), data, store, Stop(1))
    with pytest.raises(ExperimentNotFoundError):
        train(compiled(sequential()), data, store, resume="20200101-nothing")
    recorder = ModelKB(store=store, project="p", resume="20200101-nothing")
    with pytest.warns(ModelKBWarning, match="find the experiment to go on with"):
        compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    assert Store(store).experiment(recorder.experiment_id).record.status == "finished"


@pytest.mark.parametrize("better", [True, False])
def test_the_best_is_the_best_of_the_whole_training(better: bool, data: Data, store: Path) -> None:
    losses = [3.0, 1.0, 0.5 if better else 2.0, 2.5]
    scripted = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(loss=losses[epoch])
    )

    def go(*others: keras.callbacks.Callback, **settings: Any) -> Experiment:
        recorder = ModelKB(store=store, project="p", strict=True, checkpoints="best", **settings)
        first = settings.get("resume", False) * 2
        callbacks = [scripted, recorder, *others]
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(
                data.x, data.classes, epochs=4, initial_epoch=first, verbose=0, callbacks=callbacks
            )
        return Store(store).experiment(recorder.experiment_id)

    model = compiled(functional())
    go(Stop(2))
    at_the_best = model.get_weights()
    again = go(resume=True)
    expected = at_the_best if not better else None
    found = again.load_model("best").get_weights()
    if expected is not None:
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    values = again.checkpoints().query("kind == 'best'")["value"]
    assert min(values) == (0.5 if better else 1.0)


SCRIPT = textwrap.dedent(
    """
    import os, signal, sys
    import keras, numpy as np
    from modelkb_callbacks import ModelKB

    _, store, backup, how = sys.argv

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if how == "kill" and self.model.optimizer.iterations == 11:
                os.kill(os.getpid(), signal.SIGKILL)

    keras.utils.set_random_seed(5)
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    recorder = ModelKB(
        store=store, strict=True, resume=how == "resume", batch_metrics=True, checkpoints="epoch"
    )
    model.fit(
        x, x[:, :1], batch_size=16, epochs=5, shuffle=False, verbose=0, callbacks=[
            recorder, keras.callbacks.BackupAndRestore(backup, delete_checkpoint=False), Kill()
        ],
    )
    """
)


def run(python: WarmPython, store: Path, backup: Path, how: str, expected: int = 0) -> Experiment:
    done = python.run(SCRIPT, store, backup, how)
    assert done.returncode == expected, done.stderr
    (found,) = Store(store).experiments()["experiment_id"]
    return Store(store).experiment(found)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no SIGKILL")
def test_a_killed_training_that_is_restored_is_as_one_without_a_break(
    tmp_path: Path, warm_python: WarmPython
) -> None:
    store = tmp_path / "killed"
    killed = run(warm_python, store, tmp_path / "backup", "kill", -signal.SIGKILL)
    assert killed.record.status == "interrupted"
    assert epochs_of(killed) == [0, 1]
    again = run(warm_python, store, tmp_path / "backup", "resume")
    whole = run(warm_python, tmp_path / "whole", tmp_path / "other backup", "whole")

    record = again.record
    assert (again.id, record.status, record.epochs_completed) == (killed.id, "finished", 5)
    assert record.duration_seconds > (killed.record.duration_seconds or 0)
    assert record.started_at == killed.record.started_at
    for read in (Experiment.metrics, Experiment.batch_metrics):
        columns = ["epoch", "step", "split", "metric", "value"]
        one, other = (read(experiment)[columns] for experiment in (again, whole))
        assert one.reset_index(drop=True).equals(other.reset_index(drop=True))
    assert list(again.epochs()["epoch"]) == [0, 1, 2, 3, 4]
    states = (each.table("random_states").to_pylist() for each in (again, killed, whole))
    of_again, of_killed, of_whole = states
    assert of_again == of_killed == of_whole
    for checkpoint in [*range(5), "end"]:
        one, other = (each.load_model(checkpoint).get_weights() for each in (again, whole))
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert list((store / "log").rglob("*.jsonl")) == []
