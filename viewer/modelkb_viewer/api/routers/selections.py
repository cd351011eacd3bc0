"""``/selections``: many experiments as rows at once, for programs that read a server as a store."""

from __future__ import annotations

from http import HTTPStatus

import pyarrow as pa
from fastapi import APIRouter, Request, Response

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import ExperimentList, ExperimentSelection
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import described_rows, rows_answer

router = APIRouter(tags=["experiments"])

_ROWS = {**described_rows(), **answers(HTTPStatus.BAD_REQUEST)}


@router.post("/selections", response_model=None, responses=_ROWS)
def select_experiments(
    request: Request, store: AskedStore, wanted: ExperimentSelection, who: AskedBy
) -> Response:
    """Return all experiments for which something holds, as `GET /experiments` does by pages."""
    project = who.project_of(wanted.project)
    rows = store.experiment_table(
        project, where=wanted.where, order_by=wanted.order_by, limit=wanted.limit
    )
    return rows_answer(request, rows)


@router.post("/selections/ids", response_model=None, responses=_ROWS)
def select_experiment_ids(
    request: Request, store: AskedStore, wanted: ExperimentSelection, who: AskedBy
) -> Response:
    """Return their ids alone, which is faster."""
    project = who.project_of(wanted.project)
    ids = store.experiment_ids(project, where=wanted.where, order_by=wanted.order_by)
    rows = pa.table({"experiment_id": pa.array(ids[: wanted.limit], pa.string())})
    return rows_answer(request, rows)


@router.post("/selections/rows", response_model=None, responses=_ROWS)
def read_experiment_rows(
    request: Request, store: AskedStore, wanted: ExperimentList, who: AskedBy
) -> Response:
    """Return some experiments as they are listed, in the order of their ids."""
    project = who.project_of(wanted.project)
    return rows_answer(request, store.experiment_rows(wanted.experiment_ids, project))


@router.get("/deleted-experiments")
def list_deleted_experiments(store: AskedStore, who: AskedBy) -> list[str]:
    """Return the ids of experiments that are deleted and can be brought back."""
    who.check_project(None)  # of what is deleted nobody knows the project
    return store.backend.deleted()
