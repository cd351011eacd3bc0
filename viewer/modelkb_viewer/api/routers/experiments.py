"""``/experiments``: found, read, edited and deleted."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_viewer.api.asked import AskedExperiment, AskedStore, ExperimentId
from modelkb_viewer.api.authentication import AskedBy, needs
from modelkb_viewer.api.documents import (
    ExperimentChange,
    ExperimentDocument,
    ExperimentPage,
    ExperimentRow,
)
from modelkb_viewer.api.experiment_document import experiment_document
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import Format, or_rows, rows_answer, wanted_format
from modelkb_viewer.tokens import Scope

router = APIRouter(prefix="/experiments", tags=["experiments"])

_LARGEST_PAGE = 10_000
_NOT_ONE = answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_WRITES = [Depends(needs(Scope.WRITE))]


@router.get(
    "",
    response_model=ExperimentPage,
    responses={**or_rows(), **answers(HTTPStatus.BAD_REQUEST)},
)
def list_experiments(  # noqa: PLR0917 - FastAPI passes all by name
    request: Request,
    store: AskedStore,
    who: AskedBy,
    project: Annotated[str | None, Query(description="Only this project's.")] = None,
    where: Annotated[
        str | None,
        Query(
            description="Only those for which this holds, in the language of docs/queries.md.",
            max_length=20_000,
            examples=["metrics.val_accuracy > 0.9 and has(Conv2D(filters >= 64))"],
        ),
    ] = None,
    order_by: Annotated[
        list[str] | None,
        Query(description="A column, with `-` in front from large to small; may be repeated."),
    ] = None,
    offset: Annotated[int, Query(ge=0, description="How many to pass over.")] = 0,
    limit: Annotated[int, Query(ge=0, le=_LARGEST_PAGE, description="No more than these.")] = 100,
) -> Any:
    """Return experiments, oldest first: a page of them as JSON, or as Arrow or Parquet rows."""
    project = who.project_of(project)
    ids = store.experiment_ids(project, where=where, order_by=order_by)
    rows = store.experiment_rows(ids[offset : offset + limit], project)
    if wanted_format(request) is not Format.JSON:
        return rows_answer(request, rows)
    items = [ExperimentRow.model_validate(row) for row in rows.to_pylist()]
    return ExperimentPage(items=items, total=len(ids), offset=offset)


@router.get("/{experiment_id}", responses=_NOT_ONE)
def get_experiment(experiment: AskedExperiment) -> ExperimentDocument:
    """Return one experiment."""
    return experiment_document(experiment)


@router.patch("/{experiment_id}", responses=_NOT_ONE, dependencies=_WRITES)
def edit_experiment(
    store: AskedStore, experiment: AskedExperiment, change: ExperimentChange
) -> ExperimentDocument:
    """Give an experiment other tags or notes; what it records meanwhile stays."""
    now = experiment.record
    experiment.record = dataclasses.replace(
        now,
        tags=now.tags if change.seen_tags is None else tuple(change.seen_tags),
        notes=now.notes if change.seen_notes is None else change.seen_notes,
    )
    if change.tags is not None:
        experiment.set_tags(change.tags)
    if change.notes is not None:
        experiment.set_notes(change.notes)
    return experiment_document(store.experiment(experiment.id))


@router.delete(
    "/{experiment_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_NOT_ONE,
    dependencies=_WRITES,
)
def remove_experiment(store: AskedStore, experiment: AskedExperiment) -> Response:
    """Delete an experiment: nobody sees it any more. Until space is freed it can be restored."""
    store.backend.delete(experiment.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{experiment_id}/restore",
    responses={**_NOT_ONE, **answers(HTTPStatus.GONE)},
    dependencies=_WRITES,
)
def restore_experiment(
    store: AskedStore, experiment_id: ExperimentId, who: AskedBy
) -> ExperimentDocument:
    """Bring a deleted experiment back."""
    who.check_project(None)  # of what is deleted nobody knows the project
    known = store.backend.deleted()
    whole = resolve_experiment_id(experiment_id, known, [""] * len(known))
    store.backend.restore(whole)
    return experiment_document(store.experiment(whole))
