"""What fails of ours becomes one warning, and the training goes on, the same to the bit."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import keras
import pytest

from modelkb_callbacks import ModelKB, ModelKBWarning
from modelkb_callbacks.guard import Guard
from modelkb_store import NotAStoreError, Store
from trainings import Data, compiled, same_weights, sequential
from warm_python import WarmPython


def train(data: Data, *callbacks: keras.callbacks.Callback, epochs: int = 3) -> Any:
    keras.utils.set_random_seed(1)
    model = compiled(sequential())
    model.fit(
        data.x,
        data.classes,
        validation_split=0.25,
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
    )
    return model


def warnings_of_training(data: Data, *callbacks: keras.callbacks.Callback) -> list[str]:
    """Train with the callbacks; the result must be as without them. Return our warnings."""
    plain = train(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = train(data, *callbacks)
    assert same_weights(model, plain)
    return [str(w.message) for w in caught if issubclass(w.category, ModelKBWarning)]


def test_store_that_cannot_be_made(data: Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    messages = warnings_of_training(data, ModelKB(store=tmp_path / "file" / "store"))
    assert len(messages) == 1
    assert "could not record this run" in messages[0]
    assert "The training goes on" in messages[0]


def test_folder_of_something_else_is_not_touched(data: Data, tmp_path: Path) -> None:
    folder = tmp_path / "modelkb"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    messages = warnings_of_training(data, ModelKB(store=folder))
    assert len(messages) == 1
    assert "thesis.tex" in messages[0]
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_store_of_a_newer_format(data: Data, store: Path) -> None:
    train(data, ModelKB(store=store, strict=True), epochs=1)
    (store / "format.json").write_text(json.dumps({"format": "modelkb-store", "version": 99}))
    messages = warnings_of_training(data, ModelKB(store=store))
    assert len(messages) == 1
    assert "pip install --upgrade modelkb" in messages[0]


def test_store_that_breaks_in_the_middle_is_warned_of_once(data: Data, store: Path) -> None:
    def break_it(epoch: int, logs: Any) -> None:
        if epoch == 0:
            shutil.rmtree(store / "log")
            (store / "log").write_text("a file where a folder was")

    messages = warnings_of_training(
        data, ModelKB(store=store), keras.callbacks.LambdaCallback(on_epoch_end=break_it)
    )
    assert len(messages) == 1
    assert "could not write the metrics" in messages[0]
    (store / "log").unlink()
    train(data, ModelKB(store=store, strict=True))
    assert list(Store(store).experiments()["status"]) == ["finished"]


def test_what_cannot_be_parquet_can_be_read_and_is_later(data: Data, store: Path) -> None:
    def break_it(epoch: int, logs: Any) -> None:
        (store / "metrics").write_text("a file where a folder is to be")

    breaking = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: break_it(0, logs))
    messages = warnings_of_training(data, ModelKB(store=store), breaking)
    assert len(messages) == 1
    assert "could not fold the log" in messages[0]
    (store / "metrics").unlink()
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    assert experiment.record.status == "finished"
    assert experiment.record.problems == (), "nothing is missing"
    assert sorted(experiment.metrics().query("metric == 'loss'")["epoch"]) == [0, 0, 1, 1, 2, 2]
    assert list((store / "log").rglob("*.jsonl")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files")
def test_rows_that_could_not_be_written_come_with_a_later_epoch(data: Data, store: Path) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(epoch: int, logs: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 if epoch == 0 else hard, hard))

    try:
        messages = warnings_of_training(
            data, ModelKB(store=store), keras.callbacks.LambdaCallback(on_epoch_end=fill)
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert len(messages) == 1
    assert "could not write the metrics" in messages[0]
    experiment_id = Store(store).experiments()["experiment_id"].iloc[0]
    losses = Store(store).experiment(experiment_id).metrics().query("metric == 'loss'")
    assert sorted(losses["epoch"]) == [0, 0, 1, 1, 2, 2]


def test_warnings_as_errors_do_not_reach_the_training(data: Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        train(data, ModelKB(store=tmp_path / "file"))


def test_a_warning_at_the_end_of_a_fit_that_raised_is_at_the_users_line(
    data: Data, store: Path
) -> None:
    def fail(epoch: int, logs: Any) -> None:
        shutil.rmtree(store / "log")
        (store / "log").write_text("a file where a folder was")
        raise ValueError("enough")

    with (
        pytest.warns(ModelKBWarning, match="could not write the experiment") as caught,
        pytest.raises(ValueError, match="enough"),
    ):
        train(data, ModelKB(store=store), keras.callbacks.LambdaCallback(on_epoch_end=fail))
    (ours,) = (warning for warning in caught if warning.category is ModelKBWarning)
    assert Path(ours.filename) == Path(__file__)


def test_strict_raises(data: Data, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("")
    with pytest.raises(NotAStoreError, match=r"other\.txt"):
        train(data, ModelKB(store=tmp_path, strict=True))


def test_an_interruption_is_never_swallowed() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guard().run("do anything", interrupted)


@pytest.mark.slow
def test_full_disk(tmp_path: Path, warm_python: WarmPython) -> None:
    """A limit on the size of files stands for a full disk: writing fails with an OSError."""
    script = textwrap.dedent(
        """
        import resource, signal, sys, warnings
        import keras, numpy as np
        from modelkb_callbacks import ModelKB, ModelKBWarning

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")

        def fill(epoch, logs):
            if epoch == 1:
                resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))

        def train(callbacks):
            keras.utils.set_random_seed(0)
            model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
            model.compile("adam", "mse")
            model.fit(x, x[:, :1], epochs=4, verbose=0, callbacks=callbacks)
            return model.get_weights()

        plain = train([])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filler = keras.callbacks.LambdaCallback(on_epoch_end=fill)
            weights = train([ModelKB(store=sys.argv[1]), filler])
        assert all(np.array_equal(a, b) for a, b in zip(plain, weights, strict=True))
        ours = [w for w in caught if issubclass(w.category, ModelKBWarning)]
        assert len(ours) == 1, [str(w.message) for w in ours]
        """
    )
    folder = tmp_path / "modelkb"
    ended = warm_python.run(script, folder)
    assert ended.returncode == 0, ended.stderr
    experiment_id = Store(folder).experiments()["experiment_id"].iloc[0]
    assert sorted(Store(folder).experiment(experiment_id).metrics()["epoch"]) == [0, 1]
    assert not [path for path in folder.rglob(".*") if path.is_file()]
