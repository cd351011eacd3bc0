"""``predict`` and ``xpredict``: rows of the table ``predictions``."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import modelkb_callbacks
from modelkb_callbacks.guard import ModelKBWarning
from modelkb_store import Store
from modelkb_store.tables import Tables
from trainings import Data, Fit, compiled, sequential


@pytest.fixture
def predictions(store: Path) -> Callable[[], list[dict[str, Any]]]:
    """The rows that are recorded, oldest first."""

    def read() -> list[dict[str, Any]]:
        rows = Tables(Store(store).files).read("predictions").to_pylist()
        return sorted(rows, key=lambda row: row["created_at"])

    return read


def test_a_row(data: Data, fit: Fit, predictions: Any, store: Path) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes)
    outputs = fitted.model.predict(data.x[:10], batch_size=4, verbose=0)
    (row,) = predictions()
    assert row["experiment_id"] == fitted.experiment.id
    assert row["model_id"] == fitted.experiment.record.model_id
    assert row["project"] == "tests"
    assert row["source"] == "predict"
    assert json.loads(row["input_shapes"]) == [[10, 8]]
    assert (row["sample_count"], row["batch_size"]) == (10, 4)
    assert 0 < row["duration_seconds"] < 100
    (summary,) = json.loads(row["output_summary"])
    assert summary["shape"] == [10, 3]
    assert summary["min"] == outputs.min()
    assert summary["max"] == outputs.max()
    assert summary["mean"] == pytest.approx(outputs.mean())
    table = Store(store).experiment(fitted.experiment.id)
    assert table.table("predictions").num_rows == 1


def two_outputs() -> keras.Model:
    """A model whose outputs have names."""
    inputs = {"a": keras.Input((8,), name="a"), "b": keras.Input((2,), name="b")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    outputs = {
        "scores": keras.layers.Dense(3, name="scores")(joined),
        "picture": keras.layers.Reshape((2, 1))(keras.layers.Dense(2)(joined)),
    }
    return keras.Model(inputs, outputs)


def test_inputs_and_outputs_of_every_kind(data: Data, store: Path, predictions: Any) -> None:
    model = two_outputs()
    model.compile("sgd", {"scores": "mse", "picture": "mse"})
    named = {"a": data.x, "b": data.x[:, :2]}
    targets = {"scores": data.one_hot, "picture": data.x[:, :2, None]}
    recorder = modelkb_callbacks.ModelKB(store=store, strict=True)
    model.fit(named, targets, verbose=0, callbacks=[recorder])
    assert set(model.predict(named, verbose=0)) == {"scores", "picture"}
    batches = tf.data.Dataset.from_tensor_slices(named).batch(32)
    model.predict(batches, verbose=0)
    model.predict(((batch,) for batch in batches.as_numpy_iterator()), steps=3, verbose=0)
    model.predict(batches, steps=1, verbose=0)
    arrays, *others = predictions()
    assert json.loads(arrays["input_shapes"]) == [[96, 8], [96, 2]]
    assert arrays["batch_size"] == 32
    assert [row["sample_count"] for row in (arrays, *others)] == [96, 96, 96, 32]
    for row in others:
        assert json.loads(row["input_shapes"]) is None
        assert row["batch_size"] is None
    shapes = [part["shape"] for part in json.loads(arrays["output_summary"])]
    assert sorted(shapes) == [[96, 2, 1], [96, 3]]


def test_bits_and_random_numbers_are_as_without(data: Data, store: Path) -> None:
    def train(callbacks: list[Any]) -> list[Any]:
        keras.utils.set_random_seed(8)
        model = compiled(sequential())
        model.fit(data.x, data.classes, verbose=0, callbacks=callbacks)
        outputs = model.predict(data.x, verbose=0)
        model.fit(data.x, data.classes, verbose=0)
        return [outputs.tolist(), *(weights.tolist() for weights in model.get_weights())]

    assert train([modelkb_callbacks.ModelKB(store=store, strict=True)]) == train([])


def test_outputs_that_are_no_plain_numbers(data: Data, fit: Fit, predictions: Any) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes)
    fitted.model.layers[-1].bias.assign([np.nan] * 3)
    fitted.model.predict(data.x[:3], verbose=0)
    (row,) = predictions()
    (summary,) = json.loads(row["output_summary"])
    assert summary == {"shape": [3, 3], "min": "nan", "max": "nan", "mean": "nan"}


def test_only_models_that_a_run_trained(
    data: Data, fit: Fit, predictions: Any, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))
    fitted = fit(compiled(sequential()), data.x, data.classes)
    other = compiled(sequential())
    other.predict(data.x, verbose=0)
    assert predictions() == []

    other.xpredict(data.x, 16, 0)
    fitted.model.xpredict(data.x, verbose=0)
    unknown, known = predictions()
    assert (unknown["experiment_id"], unknown["model_id"]) == (None, None)
    assert (unknown["source"], unknown["project"], unknown["batch_size"]) == (
        "xpredict",
        "default",
        16,
    )
    assert (known["experiment_id"], known["source"]) == (fitted.experiment.id, "xpredict")


def test_xpredict_knows_a_model_by_its_weights(
    data: Data, fit: Fit, predictions: Any, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))
    fitted = fit(compiled(sequential()), data.x, data.classes)
    fitted.experiment.load_model().xpredict(data.x, verbose=0)
    (row,) = predictions()
    assert (row["experiment_id"], row["project"]) == (fitted.experiment.id, "tests")


def test_xpredict_writes_where_autolog_was_told_to(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelkb_callbacks import automatic
    from modelkb_callbacks.settings import Settings

    monkeypatch.setattr(automatic, "_settings", Settings(store=tmp_path / "told", project="p"))
    compiled(sequential()).xpredict(data.x, verbose=0)
    rows = Tables(Store(tmp_path / "told").files).read("predictions").to_pylist()
    assert [row["project"] for row in rows] == ["p"]
    assert not Path("modelkb").exists()


def test_a_store_that_cannot_be_opened_is_a_warning(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MODELKB_STORE", str(tmp_path / "file"))
    with pytest.warns(ModelKBWarning, match="record a prediction"):
        outputs = compiled(sequential()).xpredict(data.x, verbose=0)
    assert outputs.shape == (96, 3)


def test_within_fit_nothing_is_recorded(data: Data, store: Path, predictions: Any) -> None:
    model = compiled(sequential())
    predicting = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.predict(data.x, verbose=0)
    )
    recorder = modelkb_callbacks.ModelKB(store=store, strict=True)
    model.fit(data.x, data.classes, verbose=0, callbacks=[recorder, predicting])
    assert predictions() == []


def test_a_further_training_is_a_new_experiment(data: Data, fit: Fit, predictions: Any) -> None:
    model = compiled(sequential())
    ids = []
    for _ in range(2):
        ids.append(fit(model, data.x, data.classes).experiment.id)
        model.predict(data.x, verbose=0)
    assert [row["experiment_id"] for row in predictions()] == ids


SCRIPT = textwrap.dedent(
    """
    import multiprocessing, os, sys
    import keras, numpy as np
    import modelkb_callbacks

    modelkb_callbacks.autolog(store=sys.argv[1], strict=True)
    x = np.zeros((4, 2), "float32")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], verbose=0)
    for _ in range(5):
        model.predict(x, verbose=0)

    def child():
        # What TensorFlow does in a fork is not the matter here.
        from modelkb_callbacks import active_recordings, keras_patch, recorded_predict
        recording = active_recordings.last_of_model(model)
        for count in range(3):
            call = recorded_predict.FitCall({"x": x, "batch_size": 2})
            log = recorded_predict.log_of(model, recording)
            recorded_predict.RecordedPredict(log, call, "predict").finish(x[: count + 1])

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=child) for _ in range(2)]
    for process in children:
        process.start()
    for process in children:
        process.join()
    model.predict(x, verbose=0)
    """
)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system cannot fork")
def test_all_processes_write_their_rows_when_they_end(store: Path, predictions: Any) -> None:
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(store)], check=True, timeout=200
    )
    rows = predictions()
    assert len(rows) == 6 + 2 * 3
    assert len({row["prediction_id"] for row in rows}) == 12
    (found,) = Store(store).experiments()["experiment_id"]
    assert Store(store).experiment(found).table("predictions").num_rows == 12
