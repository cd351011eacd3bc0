"""``/imports/..``: experiments of other stores, copied into this one."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Body, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_store.commits.rows import rewrite_rows
from modelkb_store.experiment_ids import EXPERIMENT_ID
from modelkb_store.files.files import Files
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.server.server_target import EXPERIMENTS_KEY
from modelkb_store.transfer.copy_target import FilesTarget
from modelkb_viewer.api.arrow_stream import read_plain_stream
from modelkb_viewer.api.asked import WholeStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.belonging import check_experiments
from modelkb_viewer.api.body import bytes_of
from modelkb_viewer.api.documents import TableName
from modelkb_viewer.api.problems import RefusedError, answers
from modelkb_viewer.api.rows_answer import Format

router = APIRouter(
    prefix="/imports",
    tags=["recording"],
    responses=answers(
        HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    ),
)

_LARGEST_BYTES = 512 << 20
_ROWS = {
    "requestBody": {
        "content": {Format.ARROW.value: {"schema": {"type": "string", "format": "binary"}}}
    }
}
Project = Annotated[str, Query(description="The project that all of the rows are of.")]


@router.put(
    "/{table}/shared", status_code=HTTPStatus.NO_CONTENT, openapi_extra=_ROWS, response_model=None
)
async def import_shared(
    request: Request, store: WholeStore, table: TableName, project: Project, who: AskedBy
) -> Response:
    """Keep rows that experiments share, as an Arrow stream; those that are there are left alone."""
    who.check_project(project)
    if table.value != "projects" and table.value not in SHARED_KEYS:
        raise _unreadable(f"the rows of {table.value} are of experiments")
    content = await bytes_of(request, _LARGEST_BYTES)
    await run_in_threadpool(_keep_shared, store.files, table.value, project, content)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put(
    "/{table}/rows", status_code=HTTPStatus.NO_CONTENT, openapi_extra=_ROWS, response_model=None
)
async def import_rows(
    request: Request, store: WholeStore, table: TableName, project: Project, who: AskedBy
) -> Response:
    """Give experiments rows of a table, as an Arrow stream, in place of all that they have.

    The metadata of its schema name them: `modelkb.experiment_ids` is a JSON list.
    """
    who.check_project(project)
    if table.value not in (*ADD_TABLES, *PUT_TABLES):
        raise _unreadable(f"the rows of {table.value} are of no experiment")
    content = await bytes_of(request, _LARGEST_BYTES)
    await run_in_threadpool(_put, store, table.value, project, content)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/shown", status_code=HTTPStatus.NO_CONTENT, response_model=None)
def show_imported(
    store: WholeStore, experiment_ids: Annotated[list[str], Body()], who: AskedBy
) -> Response:
    """Have experiments seen again that were deleted before they were copied here anew."""
    deleted = set(store.backend.deleted()).intersection(experiment_ids)
    if deleted:
        who.check_project(None)  # of what is deleted nobody knows the project
        FilesTarget(store.files).show(deleted)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _keep_shared(files: Files, table: str, project: str, content: bytes) -> None:
    rows, _ = _read(table, content)
    target = FilesTarget(files)
    if table == "projects":
        target.keep_project(project, rows)
        return
    key = SHARED_KEYS[table]
    ids = pc.unique(rows[key])
    known = target.tables.read(table, project, [key], where={key: ids.to_pylist()})[key]
    is_known = pc.is_in(rows[key], pc.unique(known))
    target.keep_shared(table, project, rows.filter(pc.invert(is_known)))


def _put(store: Store, table: str, project: str, content: bytes) -> None:
    rows, ids = _read(table, content)
    if not set(pc.unique(rows["experiment_id"]).to_pylist()) <= set(ids):
        raise _unreadable("it has rows of other experiments than its metadata name")
    if not all(re.fullmatch(EXPERIMENT_ID, each) for each in ids):
        raise _unreadable("it names experiments by what is no id")
    check_experiments(store, project_folder(project), ids)
    rewrite_rows(store.files, table, project, lambda _: rows, values=ids)


def _read(table: str, content: bytes) -> tuple[pa.Table, list[str]]:
    """Return the rows of a stream, and the experiments that its metadata name."""
    try:
        rows = read_plain_stream(content, SCHEMAS[table])
        told = (rows.schema.metadata or {}).get(EXPERIMENTS_KEY, b"[]")
        ids = [str(each) for each in json.loads(told)]
        return rows.cast(SCHEMAS[table]), ids
    except (pa.ArrowException, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise _unreadable(str(error)) from error


def _unreadable(reason: str) -> RefusedError:
    detail = f"These are no rows that can be kept: {reason}"
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
