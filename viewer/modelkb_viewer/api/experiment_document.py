"""One experiment as an answer."""

from __future__ import annotations

import dataclasses

from modelkb_store import Experiment
from modelkb_viewer.api.documents import ExperimentDocument
from modelkb_viewer.json_values import plain


def experiment_document(experiment: Experiment) -> ExperimentDocument:
    """Return an experiment's row of the table ``experiments``, and its hyperparameters."""
    row = dataclasses.asdict(experiment.record)
    hyperparameters = plain(experiment.hyperparameters())
    return ExperimentDocument.model_validate(
        {**row, "project": experiment.project, "hyperparameters": hyperparameters}
    )
