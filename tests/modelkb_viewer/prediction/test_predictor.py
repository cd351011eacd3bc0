from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from modelkb_store import ArtifactNotFoundError, Experiment, Store
from modelkb_viewer.content.tried_models import Tried, try_experiment
from modelkb_viewer.prediction import predictor as predictor_module
from modelkb_viewer.prediction.errors import (
    BackendMissingError,
    PredictionError,
    PredictionProcessError,
    PredictionTimeoutError,
    RecordedCodeError,
)
from modelkb_viewer.prediction.given import File, Given, Way
from modelkb_viewer.prediction.predictor import Predictor, installed_backend
from modelkb_viewer.prediction.reading import Kind
from modelkb_viewer.prediction.recording import TriedPredictions
from trained_models import (
    record_lambda,
    record_own_layer,
    record_own_model,
    record_plain_model,
    record_text,
    record_two_inputs,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::modelkb_callbacks.ModelKBWarning"),
]
PAIR = np.array([[1.0, 2.0]], dtype="float32")


@dataclasses.dataclass(frozen=True)
class Recorded:
    store: Path
    own_layer: Experiment
    own_model: Experiment
    with_lambda: Experiment
    text: Experiment
    two: Experiment
    plain_model: Experiment


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """One store with models of several kinds."""
    root = tmp_path_factory.mktemp("tried") / "modelkb"
    records = [
        record_own_layer,
        record_own_model,
        record_lambda,
        record_text,
        record_two_inputs,
        record_plain_model,
    ]
    ids = [record(root) for record in records]
    store = Store(root)
    return Recorded(root, *(store.experiment(each) for each in ids))


@pytest.fixture(scope="module")
def predictor(recorded: Recorded) -> Iterator[Predictor]:
    """A process for all tests that need none of their own."""
    opened = Predictor(str(recorded.store))
    yield opened
    opened.close()


def _try(
    experiment: Experiment, given: dict[str, Given], recorded: Recorded, predictor: Predictor
) -> Tried:
    tried = try_experiment(
        experiment, None, given, predictor, TriedPredictions(str(recorded.store))
    )
    assert tried.problem is None
    assert tried.not_recorded is None
    return tried


def test_a_text_gets_its_label_and_is_recorded(recorded: Recorded, predictor: Predictor) -> None:
    given = {"input": Given(Way.TEXT, text="very good")}
    tried = _try(recorded.text, given, recorded, predictor)
    (reading,) = tried.readings
    best = reading.of_sample(0).iloc[0]
    assert (best["Class"], best["Probability"] > 0.5) == ("good", True)
    row = recorded.text.predictions().iloc[-1]
    assert (row["source"], row["sample_count"]) == ("viewer", 1)
    assert row["model_id"] == recorded.text.record.model_id
    # This process has not loaded what the other one has.
    assert list(predictor.process_ids()) == ["tensorflow"]


def test_inputs_and_outputs_by_name(recorded: Recorded, predictor: Predictor) -> None:
    table = Given(Way.TABLE, (File("a.csv", b"1,1,1\n2,2,2\n"),))
    given = {"age": Given(Way.FORM, fields=(3.0,)), "marks": table}
    tried = _try(recorded.two, given, recorded, predictor)
    assert [(each.name, each.kind) for each in tried.readings] == [
        ("price", Kind.VALUES),
        ("size", Kind.CLASSES),
    ]
    model = recorded.two.load_model(compile=False)
    x = {"age": np.full(2, 3.0), "marks": np.array([[1.0] * 3, [2.0] * 3])}
    expected = model.predict(x, verbose=0)["price"]
    assert np.allclose(tried.readings[0].values, expected, rtol=1e-5)
    assert tried.samples == ("row 1", "row 2")


def test_recorded_code_is_not_run_unless_it_is_allowed(
    recorded: Recorded, predictor: Predictor
) -> None:
    with pytest.raises(RecordedCodeError, match="--run-recorded-code.*'Doubling'"):
        predictor.predict(recorded.own_layer, None, [PAIR])
    with pytest.raises(RecordedCodeError, match="could not serialize the model"):
        predictor.predict(recorded.own_model, None, [PAIR])
    with pytest.raises(RecordedCodeError, match="Lambda"):
        predictor.predict(recorded.with_lambda, None, [PAIR])


def test_what_the_model_cannot_take_is_said(recorded: Recorded, predictor: Predictor) -> None:
    with pytest.raises(PredictionError, match="The model could not predict"):
        predictor.predict(recorded.two, None, [PAIR], ["age"])
    with pytest.raises(ArtifactNotFoundError, match="no weights|no checkpoint"):
        predictor.predict(_without_checkpoints(recorded), None, [PAIR])
    with pytest.raises(PredictionError, match="there is no checkpoint 7"):
        predictor.predict(recorded.two, 7, [PAIR, PAIR], ["age", "marks"])


def _without_checkpoints(recorded: Recorded) -> Experiment:
    from modelkb_store.writer import ExperimentWriter
    from small_experiment import experiment_record

    writer = ExperimentWriter(recorded.store, "tried", experiment_record(9))
    writer.save_experiment()
    writer.close()
    return Store(recorded.store).experiment(writer.experiment.experiment_id)


def test_a_dead_process_is_a_message_and_followed_by_another(
    recorded: Recorded, predictor: Predictor
) -> None:
    given = {"input": Given(Way.TEXT, text="bad film")}
    _try(recorded.text, given, recorded, predictor)
    (process_id,) = predictor.process_ids().values()
    os.kill(process_id, signal.SIGSTOP)
    limited = predictor._workers["tensorflow"]
    with pytest.raises(PredictionTimeoutError, match="longer than 0.5 seconds"):
        limited.ask(_request(recorded), 0.5)
    assert predictor.process_ids() == {}
    tried = _try(recorded.text, given, recorded, predictor)
    assert tried.readings[0].of_sample(0).iloc[0]["Class"] == "bad"
    (next_id,) = predictor.process_ids().values()
    assert next_id != process_id
    os.kill(next_id, signal.SIGKILL)
    _wait_for_end(predictor)
    with pytest.raises(PredictionProcessError, match="exit code"):
        _kill_within(predictor, recorded)


def _request(recorded: Recorded) -> Any:
    from modelkb_viewer.prediction.loaded_models import ModelKey
    from modelkb_viewer.prediction.messages import Message

    key = ModelKey(str(recorded.store), recorded.text.id, None, "", runs_code=False)
    return Message({"key": dataclasses.asdict(key), "names": None}, [np.array(["good"])])


def _wait_for_end(predictor: Predictor) -> None:
    until = time.monotonic() + 10
    while predictor.process_ids():
        assert time.monotonic() < until
        time.sleep(0.02)


def _kill_within(predictor: Predictor, recorded: Recorded) -> None:
    """Kill the process while it starts, and so before it answers."""
    import threading

    def kill() -> None:
        while not predictor.process_ids():
            time.sleep(0.005)
        os.kill(next(iter(predictor.process_ids().values())), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    predictor.predict(recorded.text, None, [np.array(["good"])])


def test_allowed_code_gives_the_models_again(recorded: Recorded) -> None:
    predictor = Predictor(str(recorded.store), runs_code=True, idle_seconds=0.5)
    try:
        doubled = predictor.predict(recorded.own_layer, "best", [PAIR])
        kernel, bias = _weights(recorded.own_layer, "dense")
        assert np.allclose(doubled.outputs[0], (PAIR * 2) @ kernel + bias, rtol=1e-5)
        own = predictor.predict(recorded.own_model, "end", [PAIR])
        kernel, bias = _weights(recorded.own_model, "dense")
        assert np.allclose(own.outputs[0], PAIR @ kernel + bias, rtol=1e-5)
        plain = predictor.predict(recorded.plain_model, "end", [PAIR])
        kernel, bias = _weights(recorded.plain_model, "dense")
        assert np.allclose(plain.outputs[0], PAIR @ kernel + bias, rtol=1e-5)
        added = predictor.predict(recorded.with_lambda, None, [PAIR])
        kernel, bias = _weights(recorded.with_lambda, "dense")
        assert np.allclose(added.outputs[0], (PAIR + 1) @ kernel + bias, rtol=1e-5)
        # Nobody needs it any more.
        _wait_for_end(predictor)
    finally:
        predictor.close()


def _weights(experiment: Experiment, layer: str) -> list[Any]:
    import tempfile

    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = experiment.save_weights(Path(folder) / "a.weights.h5")
        found: list[Any] = []
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item: (
                    found.append(item[()])
                    if isinstance(item, h5py.Dataset) and layer in name
                    else None
                )
            )
    return found


def test_the_recorded_backend_is_taken_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert installed_backend("tensorflow") == "tensorflow"
    assert installed_backend("openvino") == "tensorflow"
    monkeypatch.setattr(predictor_module, "_BACKENDS", ())
    with pytest.raises(BackendMissingError, match=r"pip install 'modelkb\[jax\]'"):
        installed_backend("jax")
