"""What most requests ask for, found: the store, and an experiment of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from modelkb_store import Experiment, ExperimentNotFoundError, Store
from modelkb_viewer.api.authentication import AskedBy, asked_store

AskedStore = Annotated[Store, Depends(asked_store)]
ExperimentId = Annotated[
    str,
    Path(
        description="The id of an experiment; as much as is unique of its beginning or of its "
        "last part; or its name.",
        min_length=1,
        max_length=300,
    ),
]


def asked_experiment(store: AskedStore, experiment_id: ExperimentId, who: AskedBy) -> Experiment:
    """Return the experiment that a request is about.

    Raises:
        ExperimentNotFoundError: There is none, or it is of a project that is none of the
            requester's.
        AmbiguousIdError: Several have an id like that.
    """
    experiment = store.experiment(experiment_id)
    if who.project not in (None, experiment.project):
        raise ExperimentNotFoundError(experiment_id, ())
    return experiment


AskedExperiment = Annotated[Experiment, Depends(asked_experiment)]
