from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store.commits.compaction import compact
from modelkb_store.commits.rows import remove_rows, replace_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.schemas import SCHEMAS
from modelkb_store.table_file import rows_of_records
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record
from store_rows import rows_of_plain_arrow, rows_of_readers

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


@pytest.fixture(params=["loose", "merged"])
def runs(request: pytest.FixtureRequest, writer_factory: WriterFactory) -> list[str]:
    """Two runs that ended, in files of their own or in one."""
    ids = []
    for _ in range(2):
        writer = writer_factory(status="finished")
        ids.append(writer.experiment.experiment_id)
        writer.append_metrics([metric_record(ids[-1], epoch, 0.5) for epoch in range(3)])
        writer.close()
    if request.param == "merged":
        compact(writer.files)
    return ids


def values(store: Path, run: str) -> list[float]:
    rows = Tables(LocalFiles(store)).of_experiment("metrics", "digits", run)
    return rows["value"].to_pylist()


def test_rows_take_the_place_of_all_that_a_run_has(store: Path, runs: list[str]) -> None:
    rows = rows_of_records("metrics", [metric_record(runs[0], 0, 7.0)])

    replace_rows(LocalFiles(store), "metrics", "digits", runs[0], rows)

    assert values(store, runs[0]) == [7.0]
    assert values(store, runs[1]) == [0.5] * 3
    assert rows_of_plain_arrow(store) == rows_of_readers(LocalFiles(store))
    replace_rows(LocalFiles(store), "metrics", "digits", runs[0], SCHEMAS["metrics"].empty_table())
    assert values(store, runs[0]) == []
    assert values(store, runs[1]) == [0.5] * 3


def test_rows_go(store: Path, runs: list[str]) -> None:
    files = LocalFiles(store)

    assert remove_rows(files, "metrics", "digits", "experiment_id", [runs[0], "unknown"])
    assert not remove_rows(files, "metrics", "digits", "experiment_id", [runs[0]])
    assert not remove_rows(files, "metrics", "other", "experiment_id", runs)
    assert not remove_rows(files, "metrics", "digits", "experiment_id", [])

    assert (values(store, runs[0]), values(store, runs[1])) == ([], [0.5] * 3)
    assert remove_rows(files, "metrics", "digits", "metric", ["loss"])
    assert files.list("metrics") == []
    assert rows_of_plain_arrow(store) == rows_of_readers(files)


def test_rows_of_a_log_stay(store: Path, runs: list[str], writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, 0, 0.5)])
    writer.home.mirror(writer._log.name)

    replace_rows(
        writer.files, "metrics", "digits", run, rows_of_records("metrics", [])
    )  # there is nothing of it in files of its own
    assert not remove_rows(writer.files, "metrics", "digits", "experiment_id", [run])
    writer.close()
    assert values(store, run) == [0.5]
    assert len(runs) == 2
