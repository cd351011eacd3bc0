"""The row of an experiment as it begins."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks.process.command_line import command_line
from modelkb_callbacks.settings import Settings
from modelkb_store._version import __version__
from modelkb_store.ids import is_experiment_id, new_experiment_id
from modelkb_store.records import ExperimentRecord, Status

REPRODUCES_VARIABLE = "MODELKB_REPRODUCES"


def new_experiment(settings: Settings, model: Any, seed: int | None) -> ExperimentRecord:
    """Return the row of a new experiment.

    Args:
        settings: What the user asked for.
        model: The Keras model; None where there is none yet.
        seed: What Keras' random seed was set to.
    """
    started = datetime.now(timezone.utc)
    experiment_id = new_experiment_id(started)
    model_name = getattr(model, "name", None) or type(model).__name__
    if model is None:
        model_name = "experiment"
    return ExperimentRecord(
        experiment_id=experiment_id,
        name=settings.name or f"{model_name}-{experiment_id[-10:]}",
        owner=settings.owner or _login_name(),
        status=Status.RUNNING.value,
        started_at=started,
        host=platform.node(),
        process_id=os.getpid(),
        modelkb_version=__version__,
        seed=seed,
        command_line=command_line(),
        tags=tuple(settings.tags or ()),
        notes=settings.notes or "",
        reproduces_experiment_id=_reproduced(os.environ),
    )


def _reproduced(environ: Mapping[str, str]) -> str | None:
    """Return the experiment that this process was started to do again."""
    wanted = environ.get(REPRODUCES_VARIABLE, "")
    return wanted if is_experiment_id(wanted) else None


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
