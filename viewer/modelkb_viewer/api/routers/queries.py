"""Questions about many experiments: rows of tables, SQL, and what differs between some."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from modelkb_store.server.server_backend import TRUNCATED_HEADER
from modelkb_store.sql import SqlLimits
from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import SqlQuery, TableName, TableQuery
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import described_rows, rows_answer
from modelkb_viewer.api.settings import settings

router = APIRouter(tags=["queries"])

_MOST_SQL_BYTES = 1 << 30  # of memory, for one query


def _described_result() -> dict[int | str, dict[str, Any]]:
    described = described_rows()
    told = {"description": "There are more rows than these.", "schema": {"enum": ["true"]}}
    described[200]["headers"] = {TRUNCATED_HEADER: told}
    return described


@router.post(
    "/tables/{table}",
    response_model=None,
    responses={**described_rows(), **answers(HTTPStatus.BAD_REQUEST)},
)
def read_table(
    request: Request, store: AskedStore, table: TableName, query: TableQuery, who: AskedBy
) -> Response:
    """Return rows of a table, of all experiments or of some."""
    project = who.project_of(query.project)
    rows = store.table(table.value, project, query.columns, where=query.where)
    return rows_answer(request, rows)


@router.post(
    "/sql",
    response_model=None,
    responses={
        **_described_result(),
        **answers(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.UNPROCESSABLE_ENTITY
        ),
    },
)
def answer_sql(request: Request, store: AskedStore, query: SqlQuery, who: AskedBy) -> Response:
    """Return the result of an SQL query, which can only read, but reads all projects.

    One that takes too long is ended, and answered with the problem `/problems/sql-timeout`.
    """
    who.check_project(None)
    seconds = query.timeout_seconds or settings().sql_seconds
    # One row more tells whether there are more.
    limits = SqlLimits(seconds, query.max_rows + 1, _MOST_SQL_BYTES)
    rows = store.backend.sql(query.query, limits)
    answer = rows_answer(request, rows.slice(0, query.max_rows))
    if rows.num_rows > query.max_rows:
        answer.headers[TRUNCATED_HEADER] = "true"
    return answer
