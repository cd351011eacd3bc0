from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from modelkb_store import Store

ARROW = {"Accept": "application/vnd.apache.arrow.stream"}


def test_rows_of_a_table_are_chosen(ask: TestClient, experiment_id: str, store: Path) -> None:
    query = {"columns": ["experiment_id", "value"], "where": {"metric": ["loss"]}}
    answer = ask.post("/tables/metrics", json=query, headers=ARROW)
    found = pa.ipc.open_stream(answer.content).read_all()
    expected = Store(store).table("metrics", None, query["columns"], where={"metric": ["loss"]})
    assert found.num_rows > 0
    assert found.equals(expected)


@pytest.mark.parametrize(
    "query", [{"columns": ["nothing"]}, {"where": {"epoch": ["1"]}}, {"where": {"nothing": []}}]
)
def test_a_column_that_is_not_there_is_said(ask: TestClient, query: dict[str, object]) -> None:
    answer = ask.post("/tables/metrics", json=query)
    assert answer.status_code == 400
    assert "Expected" in answer.json()["detail"]


def test_sql_is_answered(ask: TestClient) -> None:
    query = {"query": "select count(*) as n from experiments"}
    assert ask.post("/sql", json=query).json() == [{"n": 1}]


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/out.csv'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "set enable_external_access = true",
        "delete from experiments",
        "select",
    ],
)
def test_sql_that_does_more_than_read_is_refused(ask: TestClient, query: str) -> None:
    answer = ask.post("/sql", json={"query": query})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
