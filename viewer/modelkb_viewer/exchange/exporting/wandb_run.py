"""An offline run of Weights & Biases, which ``wandb sync`` would send; nothing here does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from modelkb_store import Experiment
from modelkb_store.errors import MissingPackageError
from modelkb_store.history_names import history_name
from modelkb_store.records import Status
from modelkb_viewer.exchange.errors import ExportError
from modelkb_viewer.exchange.exporting.curve_points import curve_points
from modelkb_viewer.exchange.exporting.exported import Exported

_NOT_IN_PROJECT_NAMES = re.compile(r"[/\\#?%:]")
_LONGEST_PROJECT_NAME = 128
_LONGEST_TAG = 64


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write curves, hyperparameters, tags and notes; see :class:`.exporters.Exporter`."""
    folder = Path(place)
    there = next(folder.glob(f"wandb/offline-run-*-{experiment.id}"), None)
    if there is not None:
        return Exported(experiment.id, str(there), was_there=True)
    # Before the import: the library would report its own errors over the network.
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    try:
        import wandb
    except ImportError as error:
        raise MissingPackageError(
            "wandb", "Exporting to Weights & Biases", "pip install wandb"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    record = experiment.record
    project = _NOT_IN_PROJECT_NAMES.sub("-", experiment.project)[:_LONGEST_PROJECT_NAME]
    try:
        run = wandb.init(
            project=project,
            name=record.name,
            tags=list(dict.fromkeys(tag[:_LONGEST_TAG] for tag in record.tags if tag)),
            notes=record.notes or None,
            config=experiment.hyperparameters(),
            settings=_settings(folder, experiment),
        )
    except wandb.Error as error:
        raise ExportError(experiment.id, "Weights & Biases", error) from error
    written = Path(run.settings.sync_dir)
    for epoch, values in _values_by_epoch(experiment).items():
        run.log(values, step=epoch)
    run.finish(exit_code=0 if record.status == Status.FINISHED.value else 1)
    wandb.teardown()  # only then the file is whole: a process of the library's writes it
    return Exported(experiment.id, str(written))


def _settings(folder: Path, experiment: Experiment) -> Any:
    """Return settings under which the library writes to the folder, and does nothing else."""
    import wandb

    return wandb.Settings(
        mode="offline",
        root_dir=str(folder.absolute()),
        run_id=experiment.id,
        username=experiment.record.owner,
        host=experiment.record.host,
        x_start_time=experiment.record.started_at.timestamp(),
        console="off",
        silent=True,
        # Of the process that exports, which is not the one that trained.
        disable_code=True,
        disable_git=True,
        save_code=False,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )


def _values_by_epoch(experiment: Experiment) -> dict[int, dict[str, float]]:
    """Return one row for each epoch, with the time of its last value."""
    epochs: dict[int, dict[str, float]] = {}
    for point in curve_points(experiment):
        row = epochs.setdefault(point.epoch, {})
        row[history_name(point.split, point.metric)] = point.value
        row["_timestamp"] = point.wall_time.timestamp()
    return epochs
