"""Questions about many experiments: rows of tables, SQL, and what differs between some."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import SqlQuery, TableName, TableQuery
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import described_rows, rows_answer

router = APIRouter(tags=["queries"])


@router.post(
    "/tables/{table}",
    response_model=None,
    responses={**described_rows(), **answers(HTTPStatus.BAD_REQUEST)},
)
def read_table(
    request: Request, store: AskedStore, table: TableName, query: TableQuery, who: AskedBy
) -> Response:
    """Return rows of a table, of all experiments or of some."""
    project = query.project or who.project
    who.check_project(project)
    rows = store.table(table.value, project, query.columns, where=query.where)
    return rows_answer(request, rows)


@router.post(
    "/sql",
    response_model=None,
    responses={
        **described_rows(),
        **answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_IMPLEMENTED),
    },
)
def answer_sql(request: Request, store: AskedStore, query: SqlQuery, who: AskedBy) -> Response:
    """Return the result of an SQL query, which can only read, but reads all projects."""
    who.check_project(None)
    return rows_answer(request, store.sql_table(query.query))
