"""What the user adds to a run: in loops of their own, during ``fit``, wrongly, too late."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

import modelkb_callbacks
from modelkb_callbacks import ModelKB, ModelKBWarning, Run
from modelkb_callbacks.settings import Settings
from modelkb_store import Experiment, InvalidSettingError, Store
from trainings import Data, compiled, sequential


@pytest.fixture
def recorded(store: Path) -> Callable[[Run], Experiment]:
    """Opens what a run recorded."""
    return lambda run: Store(store).experiment(run.experiment_id)


def block(store: Path, model: Any = None, **settings: Any) -> Any:
    """A block that is recorded, strictly."""
    return modelkb_callbacks.experiment(model, **{"store": store, "strict": True, **settings})


def curve(experiment: Experiment, metric: str, split: str = "train") -> list[tuple[int, float]]:
    """The epochs and values of a metric."""
    rows = experiment.metrics().query("metric == @metric and split == @split")
    return list(zip(rows["epoch"], rows["value"], strict=True))


def test_metrics_by_epoch(store: Path, recorded: Any) -> None:
    with block(store) as run:
        run.log(epoch=0, loss=0.5, val_loss=np.float32(0.25))
        run.log({"odd name": 1, "val_f 1": True}, epoch=np.int64(1), loss=float("nan"))
        run.log(loss=keras.ops.convert_to_tensor(3.0))
        run.log(loss=4)
        run.log(epoch=9, loss=5)
        run.log(loss=6)
    experiment = recorded(run)
    losses = curve(experiment, "loss")
    assert [epoch for epoch, _ in losses] == [0, 1, 2, 3, 9, 10]
    assert [value for _, value in losses if not np.isnan(value)] == [0.5, 3.0, 4.0, 5.0, 6.0]
    assert curve(experiment, "loss", "validation") == [(0, 0.25)]
    assert curve(experiment, "odd name") == [(1, 1.0)]
    assert curve(experiment, "f 1", "validation") == [(1, 1.0)]
    assert experiment.record.epochs_completed == 11
    assert experiment.record.status == "finished"


def test_metrics_by_step_are_on_disk_before_the_end(store: Path, recorded: Any) -> None:
    with block(store) as run:
        for step in range(1, 6):
            run.log(step=step, loss=step / 2)
            modelkb_callbacks.current_run().log({"rate": 0.1}, step=step)
    rows = recorded(run).batch_metrics()
    assert list(rows.query("metric == 'loss'")["step"]) == [1, 2, 3, 4, 5]
    assert len(rows.query("metric == 'rate'")) == 5
    assert recorded(run).metrics().empty

    run.log(step=6, loss=3)
    assert len(recorded(run).batch_metrics()) == 11, "what comes after the end is written at once"


@pytest.mark.parametrize("of_call", [False, True], ids=["one Run", "a Run for each call"])
def test_each_call_can_be_read_at_once(of_call: bool, store: Path, recorded: Any) -> None:
    with pytest.raises(ZeroDivisionError), block(store) as run:
        for epoch in range(20):
            (modelkb_callbacks.current_run() if of_call else run).log(epoch=epoch, loss=1)
            assert list(recorded(run).metrics()["epoch"]) == list(range(epoch + 1))
        assert recorded(run).record.status == "running"
        assert not (store / "metrics").exists(), "not for every call a Parquet file"
        raise ZeroDivisionError
    assert list(recorded(run).metrics()["epoch"]) == list(range(20))
    assert len(list((store / "metrics").rglob("*.parquet"))) == 1


def test_an_epoch_and_a_step(store: Path, recorded: Any) -> None:
    with block(store) as run:
        run.log(epoch=2, step=40, loss=1)
    row = recorded(run).metrics().iloc[0]
    assert (row["epoch"], row["step"]) == (2, 40)


def test_parameters(store: Path, recorded: Any) -> None:
    with block(store, params={"depth": 1, "kept": "yes"}) as run:
        run.log_params({"odd name": [1, (2, 3)], 5: "number", "api_key": "hunter2"}, depth=2)
        run.log_params(depth=3, rate=np.float32(0.5), nothing=None, far=float("inf"), lr=10**30)
    found = recorded(run).hyperparameters()
    assert found == {
        "depth": 3,
        "kept": "yes",
        "odd name": [1, [2, 3]],
        "5": "number",
        "api_key": "[redacted]",
        "rate": 0.5,
        "nothing": None,
        "far": "inf",
        "lr": 10**30,
    }


def test_parameters_of_the_user_win_over_those_of_fit(
    data: Data, store: Path, recorded: Any
) -> None:
    model = compiled(sequential())
    with block(store, model) as run:
        run.log_params(batch_size="mine")
        model.fit(data.x, data.classes, batch_size=8, verbose=0)
    found = recorded(run).hyperparameters()
    assert found["batch_size"] == "mine"
    assert found["optimizer"] == "Adam"


def test_notes_and_tags(store: Path, recorded: Any) -> None:
    with block(store, notes="first", tags=["a"]) as run:
        run.note("second\nthird")
        run.note("password=hunter2")
        run.tag("b", "a")
        run.tag()
        run.tag("c")
    record = recorded(run).record
    assert record.notes == "first\nsecond\nthird\n[redacted]"
    assert record.tags == ("a", "b", "c")


def test_files(store: Path, tmp_path: Path, recorded: Any) -> None:
    picture = tmp_path / "picture \u00e4.png"
    picture.write_bytes(b"first")
    with block(store) as run:
        run.log_file(picture)
        picture.write_bytes(b"second, longer")
        run.log_file(str(picture), name="later")
        run.log_file(str(picture))
    artifacts = recorded(run).artifacts()
    assert list(artifacts["name"]) == [picture.name, "later", picture.name]
    assert set(artifacts["kind"]) == {"file"}
    assert list(artifacts["size_bytes"]) == [5, 14, 14]
    contents = [(store / path).read_bytes() for path in artifacts["path"]]
    assert contents == [b"first", b"second, longer", b"second, longer"]
    assert artifacts["path"][1] == artifacts["path"][2]
    assert not [path for path in store.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("form", ["matrix", "classes", "scores"])
def test_confusion_matrix(form: str, store: Path, recorded: Any) -> None:
    random = np.random.default_rng(0)
    true, scores = random.integers(0, 3, 50), random.random((50, 3))
    predicted = scores.argmax(axis=1)
    expected = confusion_matrix(true, predicted)
    given: dict[str, Any] = {
        "matrix": {"matrix": expected.tolist()},
        "classes": {"y_true": true.tolist(), "y_pred": predicted},
        "scores": {"y_true": true, "y_pred": scores},
    }[form]
    with block(store) as run:
        run.log(epoch=4, loss=1)
        run.log_confusion_matrix(**given, class_names=["a", "b", "c"], split="test")
        run.log_confusion_matrix(**given, class_names=["too few"], epoch=2, output="other")
    experiment = recorded(run)
    assert np.array_equal(experiment.confusion_matrix("test"), expected)
    assert list(experiment.confusion_matrix("test").index) == ["a", "b", "c"]
    rows = experiment.table("evaluations").to_pylist()
    assert np.allclose(rows[0]["precision"], precision_score(true, predicted, average=None))
    assert np.allclose(rows[0]["recall"], recall_score(true, predicted, average=None))
    assert [row["epoch"] for row in rows] == [4, 2]
    assert [row["split"] for row in rows] == ["test", "validation"]
    assert [row["sample_count"] for row in rows] == [50, 50]
    assert rows[1]["class_names"] is None


# Each with a word of the problem that is told.
WRONG: dict[str, tuple[Callable[[Run], None], str]] = {
    "no number": (lambda run: run.log(loss="low"), "a number"),
    "no number for validation": (lambda run: run.log(loss=1, val_loss="low"), "val_loss"),
    "a vector": (lambda run: run.log(loss=np.ones(3)), "a number"),
    "no mapping": (lambda run: run.log(0.5), "log metrics"),  # type: ignore[arg-type]
    "an epoch that is none": (lambda run: run.log(epoch="two", loss=1), "whole number"),  # type: ignore[arg-type]
    "an epoch too large": (lambda run: run.log(epoch=1 << 40, loss=1), "whole number"),
    "an epoch below 0": (lambda run: run.log(epoch=-1, loss=1), "whole number"),
    "a step that is none": (lambda run: run.log(step=1.5, loss=1), "whole number"),  # type: ignore[arg-type]
    "no parameters": (lambda run: run.log_params(["a"]), "log parameters"),  # type: ignore[arg-type]
    "no file": (lambda run: run.log_file("missing.txt"), "missing.txt"),
    "a folder": (lambda run: run.log_file("."), "keep the file"),
    "no path": (lambda run: run.log_file(None), "None"),  # type: ignore[arg-type]
    "no matrix": (lambda run: run.log_confusion_matrix(), "a matrix, or y_true"),
    "not square": (lambda run: run.log_confusion_matrix([[1, 2]]), "as many rows"),
    "no counts": (lambda run: run.log_confusion_matrix([[0.5, 1], [0, 1]]), "counts"),
    "below 0": (lambda run: run.log_confusion_matrix([[-1, 1], [0, 1]]), "counts"),
    "unlike lengths": (
        lambda run: run.log_confusion_matrix(y_true=[0, 1], y_pred=[0]),
        "confusion matrix",
    ),
    "no classes": (
        lambda run: run.log_confusion_matrix(y_true=["a"], y_pred=["b"]),
        "confusion matrix",
    ),
    "no split": (lambda run: run.log_confusion_matrix([[1]], split=5), "confusion matrix"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_warning_and_stops_nothing(
    name: str, data: Data, store: Path, recorded: Any
) -> None:
    wrong, word = WRONG[name]
    model = compiled(sequential())
    adding = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: wrong(run))
    with (
        pytest.warns(ModelKBWarning, match="could not") as warned,
        block(store, model, strict=False) as run,
    ):
        model.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=[adding])
        run.note("after")
        run.log_params(after=1)
        run.log_confusion_matrix([[1, 0], [0, 1]], split="test")
        run.log(epoch=5, after=1)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    experiment = recorded(run)
    assert experiment.record.status == "finished"
    assert word in " ".join(experiment.record.problems)
    assert [epoch for epoch, _ in curve(experiment, "loss")][-1] == 1
    assert curve(experiment, "after") == [(5, 1.0)]
    assert experiment.record.notes == "after"
    assert experiment.hyperparameters()["after"] == 1
    assert sorted(experiment.evaluations()["split"]) == ["test", "train"]
    assert list(experiment.checkpoints()["kind"])[-1:] == ["end"]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_raised_in_a_strict_run(name: str, store: Path) -> None:
    with block(store) as run, pytest.raises((ValueError, TypeError, OSError)):
        WRONG[name][0](run)


def test_what_is_right_beside_something_wrong_is_kept(store: Path, recorded: Any) -> None:
    with block(store) as run, pytest.raises(InvalidSettingError, match="`wrong`"):
        run.log(epoch=0, loss=1, wrong="text", other=2)
    assert curve(recorded(run), "other") == [(0, 2.0)]


def test_texts_that_are_no_unicode(store: Path, recorded: Any) -> None:
    with block(store) as run:
        run.note("half \ud800")
        run.tag("tag \udcff")
        run.log_params(half="\ud800")
        run.log({"half \ud800": 1}, epoch=0)
    record = recorded(run).record
    assert (record.status, record.notes, record.tags) == ("finished", "half ?", ("tag ?",))
    assert recorded(run).hyperparameters()["half"] == "?"
    assert curve(recorded(run), "half ?") == [(0, 1.0)]


def test_during_fit_and_after_it(data: Data, store: Path, recorded: Any) -> None:
    recorder = ModelKB(store=store, strict=True)
    assert recorder.run.experiment_id is None
    ids = []

    def add(epoch: int, logs: Any) -> None:
        run = modelkb_callbacks.current_run()
        ids.append(run.experiment_id)
        run.log(added=epoch * 2)
        recorder.run.log_params({f"epoch {epoch}": True})

    model = compiled(sequential())
    model.fit(
        data.x,
        data.classes,
        epochs=3,
        verbose=0,
        callbacks=[recorder, keras.callbacks.LambdaCallback(on_epoch_end=add)],
    )
    assert ids == [recorder.experiment_id] * 3
    recorder.run.log(late=1)
    recorder.run.log_confusion_matrix([[1]], split="test")
    recorder.run.tag("late")
    experiment = recorded(recorder.run)
    assert curve(experiment, "added") == [(0, 0.0), (1, 2.0), (2, 4.0)]
    assert curve(experiment, "late") == [(2, 1.0)], "of the model as the last epoch left it"
    assert experiment.record.epochs_completed == 3
    assert experiment.record.status == "finished"
    assert experiment.record.tags == ("late",)
    assert experiment.hyperparameters()["epoch 2"] is True
    assert list(experiment.evaluations().query("split == 'test'")["epoch"]) == [2]


def test_what_fails_after_the_end_is_in_the_record(data: Data, store: Path, recorded: Any) -> None:
    recorder = ModelKB(store=store)
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    with pytest.warns(ModelKBWarning, match="gone.png"):
        recorder.run.log_file("gone.png")
    assert "gone.png" in recorded(recorder.run).record.problems[0]


def test_outside_of_any_run() -> None:
    run = modelkb_callbacks.current_run()
    assert run.experiment_id is None
    for tell in (
        lambda: run.log(loss=1),
        lambda: run.log_params(a=1),
        lambda: run.log_confusion_matrix([[1]]),
        lambda: run.note("a"),
        lambda: run.tag("a"),
        lambda: run.log_file("a"),
    ):
        with pytest.warns(ModelKBWarning, match="nothing is being recorded") as warned:
            tell()
        assert warned[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tell()


def test_a_store_that_cannot_be_opened_is_one_warning(data: Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = compiled(sequential())
    with (
        pytest.warns(ModelKBWarning) as warned,
        modelkb_callbacks.experiment(model, store=tmp_path / "file") as run,
    ):
        run.log(loss=1)
        run.tag("a")
        model.fit(data.x, data.classes, verbose=0)
        model.evaluate(data.x, data.classes, verbose=0)
        model.predict(data.x, verbose=0)
    assert len(warned) == 1
    assert run.experiment_id is None


def test_from_many_threads(store: Path, recorded: Any) -> None:
    with block(store) as run:

        def add(thread: int) -> None:
            for number in range(20):
                run.log(step=number, **{f"metric {thread}": number})
                run.tag(f"{thread}-{number}")
                modelkb_callbacks.current_run().log(epoch=number, **{f"epoch {thread}": number})

        threads = [threading.Thread(target=add, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    experiment = recorded(run)
    assert len(experiment.batch_metrics()) == 80
    assert len(experiment.metrics()) == 80
    assert len(experiment.record.tags) == 80
    assert experiment.record.problems == ()


def test_settings_are_those_of_the_callback() -> None:
    import inspect

    settings = {field for field in Settings.__dataclass_fields__ if field != "store_location"}
    assert settings == set(inspect.signature(ModelKB).parameters)
