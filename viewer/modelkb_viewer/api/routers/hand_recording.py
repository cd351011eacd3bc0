"""``POST /experiments``: experiments that are recorded by hand, by programs in any language."""

from __future__ import annotations

import getpass
from http import HTTPStatus

from fastapi import APIRouter, BackgroundTasks, Request, Response

from modelkb_store._version import __version__
from modelkb_store.editing import checked_notes, checked_tags
from modelkb_store.ids import new_experiment_id
from modelkb_store.log.receiving import tidy_received
from modelkb_store.project_names import project_folder
from modelkb_store.records import ExperimentRecord, MetricRecord, Status
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.audit import note_subject
from modelkb_viewer.api.authentication import AskedBy, Requester
from modelkb_viewer.api.documents import ExperimentDocument
from modelkb_viewer.api.experiment_document import experiment_document
from modelkb_viewer.api.hand_documents import AddedPoints, ExperimentEnd, NewExperiment, NewPoints
from modelkb_viewer.api.hand_recording import add_points, begin, end, in_utc
from modelkb_viewer.api.problems import answers

router = APIRouter(
    prefix="/experiments",
    tags=["recording"],
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE),
)

_NOT_ONE = answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.post("", status_code=HTTPStatus.CREATED)
def create_experiment(
    request: Request, store: AskedStore, new: NewExperiment, who: AskedBy, response: Response
) -> ExperimentDocument:
    """Make an experiment that is recorded by hand: `running`, until its end is told.

    It has what is told here, and curves by `POST /experiments/{experiment_id}/metrics`. It lacks
    what only a training knows: model and architecture, data, source, environment, epochs with
    their times, evaluations, checkpoints, resources. So no script can be written for it, and
    nothing be predicted. One of which nothing is heard for a week is `interrupted`.
    """
    who.check_project(new.project)
    started_at = in_utc(new.started_at)
    experiment_id = new_experiment_id(started_at)
    record = ExperimentRecord(
        experiment_id=experiment_id,
        name=new.name or f"run-{experiment_id.rpartition('-')[2]}",
        owner=new.owner or _name_of(who),
        status=Status.RUNNING.value,
        started_at=started_at,
        # Of the machine that trains: nobody has told them.
        host="",
        process_id=0,
        modelkb_version=__version__,
        seed=new.seed,
        epochs_planned=new.epochs_planned,
        tags=checked_tags(new.tags),
        notes=checked_notes(new.notes),
    )
    note_subject(request, experiment_id=experiment_id, project=new.project)
    begin(store.files, new.project, record, new.hyperparameters)
    response.headers["Location"] = f"experiments/{experiment_id}"
    return experiment_document(store.experiment(experiment_id))


@router.post("/{experiment_id}/metrics", responses=_NOT_ONE)
def add_metrics(store: AskedStore, experiment: AskedExperiment, new: NewPoints) -> AddedPoints:
    """Add values to the curves of an experiment that is recorded by hand, and has not ended."""
    points = [
        MetricRecord(
            experiment_id=experiment.id,
            epoch=point.epoch,
            step=point.epoch if point.step is None else point.step,
            split=point.split,
            metric=point.metric,
            value=float("nan") if point.value is None else point.value,
            wall_time=in_utc(point.wall_time),
        )
        for point in new.points
    ]
    added = add_points(store, experiment.id, points)
    return AddedPoints(added=added, known=len(points) - added)


@router.post("/{experiment_id}/end", responses=_NOT_ONE)
def end_experiment(
    store: AskedStore, experiment: AskedExperiment, told: ExperimentEnd, later: BackgroundTasks
) -> ExperimentDocument:
    """Say that an experiment that is recorded by hand has ended. Nothing can be added then."""
    end(store, experiment.id, Status(told.status), in_utc(told.ended_at))
    later.add_task(tidy_received, store.files, project_folder(experiment.project))
    return experiment_document(store.experiment(experiment.id))


def _name_of(who: Requester) -> str:
    if who.token_name:
        return who.token_name
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container
        return "unknown"
