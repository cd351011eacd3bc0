"""What most requests ask for, found: the store, and an experiment of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from modelkb_store import Experiment, ExperimentNotFoundError, Store
from modelkb_viewer.api.audit import note_subject
from modelkb_viewer.api.authentication import AskedBy, Requester, asked_store

WholeStore = Annotated[Store, Depends(asked_store)]


async def visible_store(store: WholeStore, who: AskedBy) -> Store:
    """Return the store as if it had only what the requester may see, but for SQL and files."""
    return store if who.project is None else store.of_project(who.project)


AskedStore = Annotated[Store, Depends(visible_store)]
ExperimentId = Annotated[
    str,
    Path(
        description="The id of an experiment; as much as is unique of its beginning or of its "
        "last part; or its name.",
        min_length=1,
        max_length=300,
    ),
]


def visible_experiment(store: Store, experiment_id: str, who: Requester) -> Experiment:
    """Return an experiment that a requester may see.

    Raises:
        ExperimentNotFoundError: There is none, or it is of a project that is none of the
            requester's.
        AmbiguousIdError: Several have an id like that.
    """
    experiment = store.experiment(experiment_id)
    if who.project not in (None, experiment.project):
        raise ExperimentNotFoundError(experiment_id, ())
    return experiment


def asked_experiment(
    request: Request, store: AskedStore, experiment_id: ExperimentId, who: AskedBy
) -> Experiment:
    """Return the experiment that a request is about; see :func:`visible_experiment`."""
    experiment = visible_experiment(store, experiment_id, who)
    note_subject(request, experiment_id=experiment.id, project=experiment.project)
    return experiment


AskedExperiment = Annotated[Experiment, Depends(asked_experiment)]
