"""The record of an experiment: all who read need it, and few the others of ``records``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Status(str, Enum):
    """Where an experiment stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One training run: who, when, where, and links to all it used."""

    experiment_id: str
    name: str
    owner: str
    status: str
    started_at: datetime
    host: str | None
    process_id: int | None
    modelkb_version: str
    ended_at: datetime | None = None
    duration_seconds: float | None = None
    seed: int | None = None
    epochs_planned: int | None = None
    epochs_completed: int = 0
    tags: tuple[str, ...] = ()
    notes: str = ""
    model_id: str | None = None
    architecture_id: str | None = None
    dataset_id: str | None = None
    validation_dataset_id: str | None = None
    implementation_id: str | None = None
    environment_id: str | None = None
    parent_experiment_id: str | None = None
    initial_weights_id: str | None = None
    reproduces_experiment_id: str | None = None
    command_line: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()
