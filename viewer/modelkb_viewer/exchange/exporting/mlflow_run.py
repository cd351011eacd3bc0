"""A run of MLflow: in a database of its own, one that is there, or on a server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from modelkb_store import Experiment
from modelkb_store.errors import MissingPackageError, ModelKBError
from modelkb_store.files.open_files import is_remote
from modelkb_store.history_names import history_name
from modelkb_store.records import Status
from modelkb_viewer.exchange.errors import ExportError
from modelkb_viewer.exchange.exporting.attached_files import write_attached_files
from modelkb_viewer.exchange.exporting.curve_points import curve_points
from modelkb_viewer.exchange.exporting.exported import Exported
from modelkb_viewer.exchange.exporting.mlflow_names import (
    ID_TAG,
    LONGEST_PARAMETER,
    LONGEST_TAG,
    legal_names,
    parameter_text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DATABASE = "mlflow.db"
_ARTIFACTS = "mlartifacts"
# MLflow takes no more at once, and a megabyte at most.
_METRICS_AT_ONCE = 1000
_PARAMETERS_AT_ONCE = 50
_STATUS = {
    Status.RUNNING.value: "RUNNING",
    Status.FINISHED.value: "FINISHED",
    Status.FAILED.value: "FAILED",
    Status.INTERRUPTED.value: "KILLED",
}

Item = TypeVar("Item")


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write an experiment as a run; see :class:`.exporters.Exporter`.

    Args:
        experiment: The experiment.
        place: A folder, which gets ``mlflow.db`` and ``mlartifacts``; a database whose name ends
            with ``.db``; or the address of a server.
        checkpoint: Whose weights.
    """
    try:
        return _export(_client(place), experiment, place, checkpoint)
    except ModelKBError:
        raise
    # MLflow and what it keeps its databases with raise many kinds.
    except Exception as error:
        raise ExportError(experiment.id, "MLflow", error) from error


def _client(place: str) -> Any:
    # Before the import: the library would say over the network that it is used, and log.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # some seconds, not minutes
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise MissingPackageError("mlflow", "Exporting to MLflow", "pip install mlflow") from error
    if is_remote(place):
        return MlflowClient(place)
    database = _database(place)
    database.parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(f"sqlite:///{database}")


def _database(place: str) -> Path:
    path = Path(place).absolute()
    return path if path.suffix == ".db" else path / _DATABASE


def _export(
    client: Any, experiment: Experiment, place: str, checkpoint: str | int | None
) -> Exported:
    mlflow_id = _mlflow_experiment(client, experiment.project, place)
    for there in client.search_runs([mlflow_id], f"tags.`{ID_TAG}` = '{experiment.id}'"):
        if there.info.status != _STATUS[Status.RUNNING.value]:
            return Exported(experiment.id, place, was_there=True)
        # It still ran when it was exported last, or that was cut off.
        client.delete_run(there.info.run_id)
    record = experiment.record
    run = client.create_run(
        mlflow_id,
        start_time=_milliseconds(record.started_at),
        run_name=record.name,
        tags=_tags(experiment),
    )
    run_id = run.info.run_id
    _log_metrics(client, run_id, experiment)
    left_out = _log_parameters(client, run_id, experiment.hyperparameters())
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        left_out += write_attached_files(experiment, Path(folder), checkpoint)
        client.log_artifacts(run_id, folder)
    if record.status != Status.RUNNING.value:
        ended = _milliseconds(record.ended_at or record.started_at)
        client.set_terminated(run_id, _STATUS[record.status], ended)
    return Exported(experiment.id, place, left_out=tuple(left_out))


def _mlflow_experiment(client: Any, project: str, place: str) -> str:
    """Return the id of MLflow's experiment for a project, which is made if it is not there."""
    found = client.get_experiment_by_name(project)
    if found is not None:
        return str(found.experiment_id)
    # MLflow's default is below the current folder.
    location = None if is_remote(place) else (_database(place).parent / _ARTIFACTS).as_uri()
    return str(client.create_experiment(project, artifact_location=location))


def _tags(experiment: Experiment) -> dict[str, str]:
    record, implementation = experiment.record, experiment.implementation()
    own = legal_names(record.tags)
    tags = {own[tag]: tag for tag in record.tags}
    mlflows = {
        "mlflow.user": record.owner,
        "mlflow.note.content": record.notes[:LONGEST_TAG],
        "mlflow.source.name": implementation.get("script"),
        "mlflow.source.git.commit": implementation.get("git_commit"),
        "mlflow.source.git.branch": implementation.get("git_branch"),
        ID_TAG: experiment.id,
    }
    return tags | {name: value for name, value in mlflows.items() if value}


def _log_metrics(client: Any, run_id: str, experiment: Experiment) -> None:
    from mlflow.entities import Metric

    points = curve_points(experiment)
    names = legal_names(dict.fromkeys(history_name(p.split, p.metric) for p in points))
    metrics = [
        Metric(
            names[history_name(point.split, point.metric)],
            point.value,
            _milliseconds(point.wall_time),
            point.epoch,
        )
        for point in points
    ]
    for some in _parts(metrics, _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=some)


def _log_parameters(client: Any, run_id: str, values: dict[str, Any]) -> list[str]:
    from mlflow.entities import Param

    names = legal_names(values)
    texts = {name: parameter_text(value) for name, value in values.items()}
    params = [Param(names[name], text[:LONGEST_PARAMETER]) for name, text in texts.items()]
    for some in _parts(params, _PARAMETERS_AT_ONCE):
        client.log_batch(run_id, params=some)
    return [
        f"Of {name} the first {LONGEST_PARAMETER:,} of {len(text):,} characters; "
        "hyperparameters.json has all."
        for name, text in texts.items()
        if len(text) > LONGEST_PARAMETER
    ]


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
