from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lost_processes import kill
from modelkb_store import SCHEMAS, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.errors import InvalidSettingError, SqlError, SqlTimeoutError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import tombstone_file
from modelkb_store.project_names import project_folder
from modelkb_store.snapshot import Snapshot
from modelkb_store.sql import SqlLimits, run_sql
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record, record_complete_experiment
from store_rows import in_any_order
from tidying import wait_for_tidying

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


LAYOUTS = ("loose", "merged", "both")


@pytest.fixture(scope="module", params=LAYOUTS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three complete runs in two projects, to be copied by those who change them."""
    root = tmp_path_factory.mktemp("recorded") / "modelkb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        for number, project in ((11, "digits"), (12, "cats & dogs"), (13, "digits")):
            record_complete_experiment(root, project, number)
            if request.param == "merged" or (request.param == "both" and number == 12):
                compact(LocalFiles(root))
        wait_for_tidying()
    return root


@pytest.fixture
def files(recorded: Path, store: Path) -> LocalFiles:
    """A copy of the store, to be written into."""
    shutil.copytree(recorded, store)
    return LocalFiles(store)


# What is refused and how it is said does not hang on how the files lie.
in_one_layout = pytest.mark.parametrize("recorded", ["both"], indirect=True)


@pytest.fixture
def running(files: LocalFiles, writer_factory: WriterFactory) -> ExperimentWriter:
    """A run that records."""
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, epoch, 10.0 + epoch) for epoch in range(3)])
    writer.home.mirror(writer._log.name)
    assert files.list("log")
    return writer


def test_every_table_is_there(files: LocalFiles, running: ExperimentWriter) -> None:
    assert running.project == "digits"
    for table, schema in SCHEMAS.items():
        found = run_sql(files, f"SELECT * FROM {table}")

        assert found.column_names == ["project", *schema.names], table
        # DuckDB has its own spelling of some types.
        expected = Tables(files).read(table)
        assert in_any_order(found.cast(expected.schema)) == in_any_order(expected), table


def test_rows_of_a_run_that_records_are_there(files: LocalFiles, running: ExperimentWriter) -> None:
    query = "SELECT value FROM metrics WHERE value >= 10 ORDER BY epoch"
    assert run_sql(files, query)["value"].to_pylist() == [10.0, 11.0, 12.0]
    running.append_metrics([metric_record(running.experiment.experiment_id, 3, 13.0)])
    assert run_sql(files, query)["value"].to_pylist() == [10.0, 11.0, 12.0, 13.0]
    running.close()
    assert run_sql(files, query)["value"].to_pylist() == [10.0, 11.0, 12.0, 13.0]


def test_tables_can_be_joined(files: LocalFiles) -> None:
    query = """
        SELECT e.project, e.name, h.number AS rate, min(m.value) AS loss
        FROM experiments e
        JOIN hyperparameters h USING (experiment_id)
        JOIN metrics m USING (experiment_id)
        WHERE h.name = 'learning_rate' AND m.split = 'validation'
        GROUP BY ALL ORDER BY e.name
    """
    rows = run_sql(files, query).to_pylist()
    assert [(row["project"], row["name"]) for row in rows] == [
        ("digits", "run-11"),
        ("cats & dogs", "run-12"),
        ("digits", "run-13"),
    ]
    assert {row["loss"] for row in rows} == {2 / 3}
    assert {row["rate"] for row in rows} == {0.001}


def test_the_status_is_true(files: LocalFiles, running: ExperimentWriter) -> None:
    query = "SELECT status, count(*) AS n FROM experiments GROUP BY status ORDER BY status"
    assert run_sql(files, query).to_pylist() == [
        {"status": "finished", "n": 3},
        {"status": "running", "n": 1},
    ]
    kill(running)
    assert run_sql(files, query)["status"].to_pylist() == ["finished", "interrupted"]


def test_a_run_that_went_on(files: LocalFiles, store: Path) -> None:
    record = Store(store).experiment("run-11").record
    writer = ExperimentWriter(store, "digits", record, resumes=True)
    run = record.experiment_id
    writer.drop_epochs_from(1)
    writer.append_metrics([metric_record(run, 1, 50.0)])
    query = f"SELECT epoch, value FROM metrics WHERE experiment_id = '{run}' ORDER BY ALL"
    expected = [(0, 0.25), (0, 1.0), (0, 2.0), (1, 50.0)]
    for _ in range(2):
        rows = run_sql(files, query).to_pylist()
        assert [(row["epoch"], row["value"]) for row in rows] == expected
        assert len(run_sql(files, f"SELECT * FROM epochs WHERE experiment_id = '{run}'")) == 1
        writer.close()


def test_what_is_deleted_is_not_there(files: LocalFiles) -> None:
    run = run_sql(files, "SELECT experiment_id FROM experiments ORDER BY 1")[0][0].as_py()
    files.write(tombstone_file(run), b"{}")
    for table in ("experiments", "metrics", "evaluations", "epochs", "artifacts"):
        found = run_sql(files, f"SELECT DISTINCT experiment_id FROM {table}")
        assert run not in found["experiment_id"].to_pylist(), table
        assert found.num_rows == 2, table


@in_one_layout
@pytest.mark.parametrize(
    "query",
    [
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "DESCRIBE metrics",
        "EXPLAIN SELECT * FROM metrics",
        "SELECT count(*) FROM (SELECT * FROM METRICS)",
        "FROM experiments SELECT name",
        "-- a comment\nSELECT 1;",
    ],
)
def test_what_reads_is_answered(files: LocalFiles, query: str) -> None:
    assert run_sql(files, query).num_rows > 0


@in_one_layout
@pytest.mark.parametrize(
    "query",
    [
        "",
        ";",
        "INSERT INTO metrics SELECT * FROM metrics",
        "DELETE FROM metrics",
        "UPDATE metrics SET value = 0",
        "DROP VIEW metrics",
        "CREATE TABLE x AS SELECT 1",
        "ATTACH 'x.db'",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "COPY metrics TO 'stolen.parquet'",
        "EXPORT DATABASE 'x'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "INSTALL 'x.duckdb_extension'",
        "DETACH memory",
        "USE memory",
        "CALL pragma_version()",
        "PRAGMA enable_profiling",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
        "CREATE SECRET x (TYPE s3)",
        "IMPORT DATABASE 'x'",
        "CHECKPOINT",
        "PREPARE x AS SELECT 1",
        "SELECT set_config('enable_external_access', 'true', false)",
        "SELECT * FROM query('COPY (SELECT 1) TO x')",
        "SET enable_external_access = true",
        "PRAGMA database_list; SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW metrics",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'stolen.csv'",
        "SELEC 1",
        "SELECT * FROM unknown",
        "SELECT colour FROM metrics",
        "SELECT * FROM metrics WHERE value = 'x'::INT",
    ],
)
def test_what_does_more_than_read_is_refused(files: LocalFiles, tmp_path: Path, query: str) -> None:
    with pytest.raises(SqlError, match="cannot be answered"):
        run_sql(files, query)
    assert not list(tmp_path.rglob("stolen*"))


@in_one_layout
@pytest.mark.parametrize(
    "source",
    [
        "read_csv('{secret}')",
        "'{secret}'",
        "read_text('{secret}')",
        "read_blob('{secret}')",
        "glob('{folder}/*')",
        "read_parquet('{folder}/other.parquet')",
        "read_json('{secret}')",
        "read_csv('http://127.0.0.1:9/x')",
        "sqlite_scan('{secret}', 'x')",
        "parquet_metadata('{folder}/other.parquet')",
        "query_table('{secret}')",
        "duckdb_secrets()",
        "read_csv('https://127.0.0.1:9/x')",
        "read_parquet('s3://bucket/x')",
        "read_csv('{folder}/../{secret}')",
    ],
)
def test_other_files_cannot_be_read(files: LocalFiles, tmp_path: Path, source: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    pq.write_table(pa.table({"password": ["hunter2"]}), tmp_path / "other.parquet")
    place = source.format(secret=secret, folder=tmp_path)
    for query in (f"SELECT * FROM {place}", f"SELECT m.* FROM metrics m, {place} s"):
        with pytest.raises(SqlError) as caught:
            run_sql(files, query)
        assert "hunter2" not in str(caught.value)


ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(100000) b"


@in_one_layout
def test_what_takes_too_long_is_ended(files: LocalFiles) -> None:
    began = time.monotonic()
    with pytest.raises(SqlTimeoutError, match="after 0.2 seconds"):
        run_sql(files, ENDLESS, SqlLimits(timeout_seconds=0.2))
    # In the middle of a result that is read piece by piece, too.
    endless_rows = SqlLimits(timeout_seconds=0.2, most_bytes=1 << 40)
    with pytest.raises(SqlTimeoutError, match="timeout_seconds"):
        run_sql(files, "SELECT * FROM range(1000000000000)", endless_rows)
    assert time.monotonic() - began < 20
    assert not [each for each in threading.enumerate() if each.name == "modelkb-sql-timeout"]
    with pytest.raises(SqlTimeoutError):
        Store(files.root).sql(ENDLESS, timeout_seconds=0.2)
    assert Store(files.root).sql("SELECT 1 AS x", timeout_seconds=60)["x"].tolist() == [1]
    with pytest.raises(InvalidSettingError, match="timeout_seconds"):
        Store(files.root).sql("SELECT 1", timeout_seconds=0)


@in_one_layout
def test_no_more_rows_than_are_wanted(files: LocalFiles) -> None:
    for query in ("SELECT * FROM range(100000)", "SELECT range FROM range(1000000000000)"):
        found = run_sql(files, query, SqlLimits(most_rows=12_345))
        assert found[0].to_pylist() == list(range(12_345))
    assert run_sql(files, "SELECT * FROM metrics", SqlLimits(most_rows=0)).num_rows == 0
    all_rows = run_sql(files, "SELECT * FROM metrics ORDER BY ALL")
    limited = run_sql(files, "SELECT * FROM metrics ORDER BY ALL", SqlLimits(most_rows=1000))
    assert limited.equals(all_rows)
    assert run_sql(files, "DESCRIBE metrics", SqlLimits(most_rows=2)).num_rows == 2


@in_one_layout
@pytest.mark.parametrize(
    "query",
    [
        "SELECT range FROM range(100000000) ORDER BY -range",
        "SELECT list(range) FROM range(100000000)",
        "SELECT repeat('x', 100000) FROM range(1000)",
    ],
)
def test_the_memory_is_bounded(files: LocalFiles, query: str, tmp_path: Path) -> None:
    with pytest.raises(SqlError, match=r"Out of Memory|more than 33,554,432 bytes"):
        run_sql(files, query, SqlLimits(most_bytes=32 << 20))
    assert not list(tmp_path.glob(".tmp*"))


@in_one_layout
def test_an_error_in_the_middle_of_a_result(files: LocalFiles) -> None:
    query = "SELECT CASE WHEN range = 50000 THEN 'x' ELSE '1' END::INT FROM range(100000)"
    with pytest.raises(SqlError, match="Could not convert"):
        run_sql(files, query, SqlLimits(most_rows=90_000))


@in_one_layout
def test_variables_of_this_program_are_no_tables(files: LocalFiles) -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": [1]})
    with pytest.raises(SqlError, match="frame"):
        run_sql(files, "SELECT * FROM frame")
    assert len(frame) == 1


@in_one_layout
def test_times_are_in_utc(files: LocalFiles) -> None:
    (row,) = run_sql(
        files, "SELECT started_at, hour(started_at) AS h FROM experiments WHERE name = 'run-11'"
    ).to_pylist()
    assert row["h"] == row["started_at"].hour == 3


@in_one_layout
def test_the_error_says_where(files: LocalFiles) -> None:
    with pytest.raises(SqlError, match=r"(?s)colour.*SELECT colour FROM metrics"):
        run_sql(files, "SELECT colour FROM metrics")


@in_one_layout
def test_it_answers_while_files_are_merged(files: LocalFiles, store: Path) -> None:
    stop = threading.Event()

    def merge() -> None:
        number = 100
        while not stop.is_set():
            record_complete_experiment(store, "digits", number)
            compact(files)
            number += 1

    merging = threading.Thread(target=merge)
    merging.start()
    try:
        for _ in range(10):
            query = """
                SELECT count(*) AS n, count(DISTINCT experiment_id) AS runs FROM metrics
                WHERE experiment_id IN (
                    SELECT experiment_id FROM experiments WHERE name IN ('run-11', 'run-13')
                )
            """
            (row,) = run_sql(files, query).to_pylist()
            assert row == {"n": 18, "runs": 2}
    finally:
        stop.set()
        merging.join()


class MergedFiles(LocalFiles):
    """Files that are merged with others just before the first of them is opened."""

    merged = False

    def local_path(self, path: str) -> Path:
        if not self.merged:
            self.merged = True
            compact(LocalFiles(self.root))
        return super().local_path(path)


@pytest.mark.parametrize("recorded", ["loose"], indirect=True)
def test_files_that_are_merged_before_they_are_opened(files: LocalFiles) -> None:
    merged = MergedFiles(files.root)

    assert run_sql(merged, "SELECT count(*) AS n FROM metrics")["n"].to_pylist() == [27]
    assert merged.merged


class MergedMetrics(LocalFiles):
    """Files of which those of metrics are merged when others are about to be opened."""

    merged = False

    def local_path(self, path: str) -> Path:
        if path.startswith("evaluations/") and not self.merged:
            self.merged = True
            commit(LocalFiles(self.root), self._all_metrics)
        return super().local_path(path)

    def _all_metrics(self, now: Snapshot) -> Replacement:
        names = SCHEMAS["metrics"].names
        rows = Tables(now.files, now).read("metrics", "digits", names)
        folder = project_folder("digits")
        paths = [info.path for info in now.table_files("metrics") if f"/{folder}/" in info.path]
        return Replacement("metrics", folder, paths, [rows])


@pytest.mark.parametrize("recorded", ["loose"], indirect=True)
def test_files_that_are_merged_before_the_query_reads_them(files: LocalFiles) -> None:
    merged = MergedMetrics(files.root)

    query = "SELECT (SELECT count(*) FROM metrics) AS n, count(*) AS evaluations FROM evaluations"
    assert run_sql(merged, query)["n"].to_pylist() == [27]
    assert merged.merged


@in_one_layout
def test_a_store_answers_with_a_data_frame(files: LocalFiles) -> None:
    frame = Store(files.root).sql("SELECT owner, count(*) AS runs FROM experiments GROUP BY owner")
    assert frame.to_dict("records") == [{"owner": "ada", "runs": 3}]
