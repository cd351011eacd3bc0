"""Exported to MLflow, and read by its own client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from exchanged import curves, imported_from
from modelkb_store import Experiment, Store
from modelkb_store.history_names import history_name
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.exchange.errors import ExportError
from modelkb_viewer.exchange.exporting.mlflow_run import export
from small_experiment import experiment_record, metric_record
from trainings import same_weights

pytestmark = [
    # Not imported here: what it sends is turned off before its import.
    pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed"),
    pytest.mark.slow,  # it makes a database of 70 tables
    pytest.mark.filterwarnings("ignore"),  # of MLflow and SQLAlchemy, about themselves
]


@pytest.fixture(scope="module")
def exported(trained: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    done = export(trained, str(folder), None)
    assert (done.experiment_id, done.was_there, done.left_out) == (trained.id, False, ())
    return folder


@pytest.fixture
def client(exported: Path) -> Iterator[Any]:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{exported / 'mlflow.db'}")


def only_run(client: Any, project: str = "clouds & more") -> Any:
    (run,) = client.search_runs([client.get_experiment_by_name(project).experiment_id])
    return run


def test_mlflow_lists_the_run(trained: Experiment, client: Any) -> None:
    run, record = only_run(client), trained.record
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"
    assert run.info.start_time == record.started_at.timestamp() * 1000 // 1
    assert run.info.end_time == record.ended_at.timestamp() * 1000 // 1
    assert run.data.tags["baseline"] == "baseline"
    assert run.data.tags["f1 _ 50_"] == "f1 @ 50%"
    assert run.data.tags["mlflow.note.content"] == record.notes
    assert run.data.tags["mlflow.user"] == record.owner
    assert run.data.params["learning_rate"] == "0.001"
    assert run.data.params["flag"] == "True"
    assert set(run.data.params) == set(trained.hyperparameters())


def test_mlflow_has_every_point(trained: Experiment, client: Any) -> None:
    run_id = only_run(client).info.run_id
    for (split, metric), points in curves(trained).items():
        history = client.get_metric_history(run_id, history_name(split, metric))
        assert [(point.step, point.value) for point in history] == points


def test_mlflow_has_the_files(
    trained: Experiment, rebuilt: Any, client: Any, tmp_path: Path
) -> None:
    run_id = only_run(client).info.run_id
    names = {file.path for file in client.list_artifacts(run_id)}
    assert names >= {"architecture.h5", "model.weights.h5", "evaluations.json", "script"}
    folder = Path(client.download_artifacts(run_id, "", str(tmp_path)))
    model = trained.load_model(weights=False, compile=False)
    model.load_weights(folder / "model.weights.h5")
    assert same_weights(model, rebuilt)
    parameters = json.loads((folder / "hyperparameters.json").read_text())
    assert parameters == trained.hyperparameters()


def test_what_came_back_is_the_same(trained: Experiment, exported: Path, store: Path) -> None:
    back = imported_from("mlflow", exported, store)
    assert back.project == "clouds & more"
    assert back.record.name == "first"
    assert back.record.owner == trained.record.owner
    assert set(back.record.tags) == {*trained.record.tags, "imported from mlflow"}
    assert back.record.notes.startswith(trained.record.notes)
    assert curves(back) == curves(trained)
    assert back.hyperparameters() == trained.hyperparameters()


def test_once_is_enough(trained: Experiment, exported: Path, client: Any) -> None:
    assert export(trained, str(exported), None).was_there
    only_run(client)


def test_one_that_ran_is_written_again(exported: Path, client: Any, store: Path) -> None:
    writer = ExperimentWriter(store, "goes on", experiment_record())
    run = writer.experiment.experiment_id
    export(Store(store).experiment(run), str(exported), None)
    assert only_run(client, "goes on").info.status == "RUNNING"
    writer.append_metrics([metric_record(run, 0, 0.5)])
    writer.set(status="interrupted")
    writer.save_experiment()
    writer.close()
    export(Store(store).experiment(run), str(exported), None)
    found = only_run(client, "goes on")
    assert (found.info.status, found.data.metrics) == ("KILLED", {"loss": 0.5})


def test_what_is_no_database(trained: Experiment, tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("not at all " * 1000)
    with pytest.raises(ExportError, match="not a database"):
        export(trained, str(tmp_path / "runs.db"), None)


def test_what_is_unusual(store: Path, tmp_path: Path) -> None:
    writer = ExperimentWriter(store, "odd", experiment_record(tags=("mlflow.user", "")))
    run = writer.experiment.experiment_id
    odd = {"f1@0.5": float("nan"), "f1#0.5": float("inf"), "../up": -1e300}
    writer.append_metrics([metric_record(run, 0, odd[name], metric=name) for name in odd])
    writer.set(status="failed", notes="x" * 9000)
    writer.save_experiment()
    writer.close()
    database = tmp_path / "sub" / "runs.db"
    done = export(Store(store).experiment(run), str(database), None)
    assert {text.split(":")[0] for text in done.left_out} == {
        "Without architecture",
        "Without script",
        "Without weights",
    }
    from mlflow import MlflowClient

    found = only_run(MlflowClient(f"sqlite:///{database}"), "odd")
    assert found.info.status == "FAILED"
    assert found.data.tags["mlflow.user"] == "ada"
    back = imported_from("mlflow", database, tmp_path / "other")
    values = back.metrics().set_index("metric")["value"].to_dict()
    assert values["f1_0.5"] != values["f1_0.5"]
    assert values["f1_0.5_"] == float("inf")
    assert values["___up"] == -1e300
    assert back.record.status == "failed"
    assert "mlflow.user" in back.record.tags


def test_folders_that_mlflow_wrote(tmp_path: Path, store: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient((tmp_path / "mlruns").as_uri())
    name = "a name: of some length " * 4 + "#"
    made = client.create_experiment(name)
    run = client.create_run(made, start_time=1700000000123, run_name='"quoted"').info.run_id
    client.log_batch(run, metrics=[Metric("sub/val_loss", 0.1 * n, n, n) for n in range(3)])
    client.log_batch(run, metrics=[Metric("val_loss", 0.1 * n, n, n) for n in range(3)])
    client.log_param(run, "text", "two\nlines")
    client.set_tag(run, "stage", "late")
    client.set_terminated(run, "KILLED", 1700000009000)
    client.delete_run(client.create_run(made).info.run_id)
    back = imported_from("mlflow", tmp_path / "mlruns", store)
    assert back.project == name
    assert back.record.name == '"quoted"'
    assert back.record.status == "interrupted"
    assert back.record.started_at.timestamp() == 1700000000.123
    assert back.record.duration_seconds == pytest.approx(8.877)
    assert back.record.tags[0] == "stage: late"
    assert back.hyperparameters() == {"text": "two\nlines"}
    expected = [(n, 0.1 * n) for n in range(3)]
    assert curves(back) == {
        ("validation", "loss"): expected,
        ("train", "sub/val_loss"): expected,
    }


def test_nobody_is_told(exported: Path) -> None:
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    from mlflow.telemetry import get_telemetry_client

    assert get_telemetry_client() is None
