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
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select * from read_text('{secret}')",
        "select * from read_blob('{secret}')",
        "select * from read_json('{secret}')",
        "select * from read_parquet('{folder}/*.parquet')",
        "select * from parquet_schema('{folder}/x.parquet')",
        "select * from glob('{folder}/*')",
        "select * from read_csv('http://127.0.0.1:9/x')",
        "select * from read_parquet('s3://bucket/x')",
        "select * from sniff_csv('{secret}')",
        "from duckdb_secrets()",
        "copy (select 1) to '{folder}/out.csv'",
        "copy experiments to '{folder}/out.parquet'",
        "export database '{folder}/out'",
        "attach '{folder}/other.db'",
        "attach '{folder}/other.db'; select 1",
        "create table x as select 1",
        "create temp view x as select 1",
        "install httpfs",
        "load httpfs",
        "load '{folder}/x.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set memory_limit = '100GB'",
        "reset enable_external_access",
        "pragma database_list",
        "pragma enable_profiling",
        "call pragma_version()",
        "explain analyze copy (select 1) to '{folder}/out.csv'",
        "delete from experiments",
        "insert into experiments select * from experiments",
        "select 1; select 2",
        "begin",
        "select",
        "",
        ";",
        "(" * 50_000,
    ],
)
def test_sql_that_does_more_than_read_is_refused(
    ask: TestClient, query: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    before = sorted(tmp_path.iterdir())
    sent = query.replace("{secret}", str(secret)).replace("{folder}", str(tmp_path))
    answer = ask.post("/sql", json={"query": sent})
    assert answer.status_code == (400 if query else 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("accept", ["application/json", ARROW["Accept"]])
def test_sql_answers_no_more_rows_than_are_wanted(ask: TestClient, accept: str) -> None:
    def asked(query: str, **more: object) -> tuple[int, str | None]:
        headers = {"Accept": accept}
        answer = ask.post("/sql", json={"query": query, **more}, headers=headers)
        assert answer.status_code == 200, answer.text
        is_json = accept == "application/json"
        rows = answer.json() if is_json else pa.ipc.open_stream(answer.content).read_all()
        return len(rows), answer.headers.get("Modelkb-Truncated")

    assert asked("select * from range(100)", max_rows=99) == (99, "true")
    assert asked("select * from range(100)", max_rows=100) == (100, None)
    assert asked("select * from range(100000)") == (100_000, None)
    assert asked("select * from range(100001)") == (100_000, "true")
    assert asked("select * from range(200)", max_rows=0) == (0, "true")
    for wrong in ({"max_rows": -1}, {"max_rows": 1_000_001}, {"timeout_seconds": 0},
                  {"timeout_seconds": 101}):  # fmt: skip
        assert ask.post("/sql", json={"query": "select 1", **wrong}).status_code == 422


def test_sql_that_takes_too_long_is_ended(ask: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "select count(*) from range(1000000000) a, range(100000) b"
    answer = ask.post("/sql", json={"query": endless, "timeout_seconds": 0.2})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/sql-timeout"
    assert "after 0.2 seconds" in answer.json()["detail"]
    monkeypatch.setenv("MODELKB_SQL_TIMEOUT_SECONDS", "1")
    assert "after 1 seconds" in ask.post("/sql", json={"query": endless}).json()["detail"]


def test_sql_that_takes_too_much_memory_is_ended(ask: TestClient) -> None:
    query = "select list(range) from range(1000000000)"
    answer = ask.post("/sql", json={"query": query})
    assert answer.status_code == 400
    assert "Out of Memory" in answer.json()["detail"]
