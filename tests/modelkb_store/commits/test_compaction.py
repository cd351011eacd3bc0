from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store import Store
from modelkb_store.commits import compaction
from modelkb_store.commits.compaction import compact, compact_as_runs_end, sorted_by_key
from modelkb_store.commits.manifest import read_manifest
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.keys import key_of
from modelkb_store.schemas import SCHEMAS
from modelkb_store.table_file import encode_rows, rows_of_records
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ENVIRONMENT,
    LAYER,
    experiment_record,
    metric_record,
    record_complete_experiment,
)
from store_rows import rows_of_plain_arrow, rows_of_readers

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


@pytest.fixture
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge four files, not dozens."""
    monkeypatch.setattr(compaction, "_LOOSE_FILES", 4)
    monkeypatch.setattr(compaction, "_FILES_OF_A_TIER", 3)
    monkeypatch.setattr(compaction, "_SMALLEST_TIER_BYTES", 4000)


def short_run(store: Path, number: int, project: str = "digits") -> None:
    writer = ExperimentWriter(store, project, experiment_record(number, status="finished"))
    run = writer.experiment.experiment_id
    writer.add_environment(ENVIRONMENT)
    writer.append_metrics([metric_record(run, epoch, float(number)) for epoch in range(3)])
    writer._log.close()


def counts(store: Path) -> Counter[str]:
    return Counter(path.relative_to(store).parts[0] for path in store.rglob("*.parquet"))


def test_a_few_large_files(store: Path) -> None:
    for number, project in enumerate(["digits", "digits", "cats & dogs", "digits"]):
        record_complete_experiment(store, project, number)
    files = LocalFiles(store)
    before = rows_of_readers(files)
    told: list[tuple[int, int]] = []

    fewer = compact(files, lambda done, all_: told.append((done, all_)))

    assert fewer > 20
    assert rows_of_readers(files) == before == rows_of_plain_arrow(store)
    assert set(counts(store).values()) == {2}, "one for each project"
    assert told == [(done, told[-1][0]) for done in range(1, len(told) + 1)]
    assert compact(files) == 0
    assert len(read_manifest(files).files) == sum(counts(store).values()) - 2


def test_rows_are_sorted_so_that_one_run_is_found(store: Path) -> None:
    for number in (3, 1, 2):
        record_complete_experiment(store, number=number)
    compact(LocalFiles(store))

    for table in SCHEMAS:
        for path in (store / table).rglob("compact-*.parquet"):
            keys = pq.ParquetFile(path).read()[key_of(table)].to_pylist()
            assert keys == sorted(keys)
    run = experiment_record(2).experiment_id
    curve = Store(store).experiment(run).metrics()
    assert curve["epoch"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_what_two_projects_share_stays_in_both(store: Path) -> None:
    for number, project in enumerate(["a", "b", "a", "b"]):
        short_run(store, number, project)
    compact(LocalFiles(store))

    rows = Tables(LocalFiles(store)).read("environments")
    assert rows["project"].to_pylist() == ["a", "b"]


def test_what_was_stored_twice_at_once_is_there_once(store: Path) -> None:
    short_run(store, 1)
    path = store / "environments" / "project=digits" / f"{ENVIRONMENT.environment_id}.parquet"
    compact(LocalFiles(store))
    rows = rows_of_records("environments", [ENVIRONMENT])
    pq.write_table(rows.append_column("x", pa.array([1])).drop_columns("x"), path)

    files = LocalFiles(store)
    assert Tables(files).read("environments").num_rows == 1
    Store(store)
    assert Tables(files).read("environments").num_rows == 1
    assert len(rows_of_plain_arrow(store)["environments"]) == 1


@pytest.mark.usefixtures("_few_are_many")
def test_as_runs_end_few_files_are_kept(store: Path) -> None:
    files = LocalFiles(store)
    most = 0
    for number in range(20):
        short_run(store, number)
        compact_as_runs_end(files, "project=digits")
        most = max(most, counts(store)["metrics"])
    assert most <= 8
    assert rows_of_plain_arrow(store) == rows_of_readers(files)
    assert Tables(files).read("experiments").num_rows == 20
    assert Tables(files).read("metrics").num_rows == 60
    assert len(files.list("environments")) == 1


@pytest.mark.usefixtures("_few_are_many")
def test_a_run_that_records_is_left_alone(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, 0, 0.5)])
    writer.home.mirror(writer._log.name)
    for number in range(10, 16):
        short_run(store, number)

    compact(writer.files)
    assert sorted(path.name for path in (store / "metrics").rglob(f"{run}*")) == [
        f"{run}-0000.parquet"
    ]
    writer.append_metrics([metric_record(run, 1, 0.25)])
    writer.home.mirror(writer._log.name)
    writer.close()
    compact(writer.files)
    assert Store(store).experiment(run).metrics()["value"].tolist() == [0.5, 0.25]
    assert rows_of_plain_arrow(store) == rows_of_readers(writer.files)


@pytest.mark.usefixtures("_few_are_many")
def test_other_projects_are_left_alone(store: Path) -> None:
    for number in range(5):
        short_run(store, number, "a")
    for number in range(5, 7):
        short_run(store, number, "b")
    compact_as_runs_end(LocalFiles(store), "project=a")
    compact_as_runs_end(LocalFiles(store), "project=b")

    assert len(list((store / "metrics" / "project=a").iterdir())) == 1
    assert len(list((store / "metrics" / "project=b").iterdir())) == 2


def test_an_empty_store(store: Path, writer_factory: WriterFactory) -> None:
    files = writer_factory().files
    assert compact(files) == 0
    compact_as_runs_end(files, "project=unknown")
    assert read_manifest(files).version == 0


@given(st.lists(st.tuples(st.text("abc", max_size=2), st.integers(0, 3)), max_size=12))
def test_rows_of_one_key_stay_in_their_order(rows: list[tuple[str, int]]) -> None:
    records = [metric_record(run, epoch, float(i)) for i, (run, epoch) in enumerate(rows)]
    table = rows_of_records("metrics", records)

    found = sorted_by_key("metrics", table)
    expected = sorted(records, key=lambda record: record.experiment_id)
    assert found["value"].to_pylist() == [record.value for record in expected]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=12))
def test_shared_rows_are_there_once(rows: list[tuple[str, int]]) -> None:
    layers = [
        dataclasses.replace(LAYER, architecture_id=id_, position=position, name=str(number))
        for number, (id_, position) in enumerate(rows)
    ]
    found = sorted_by_key("layers", rows_of_records("layers", layers)).to_pylist()

    first = {}
    for layer in layers:
        first.setdefault((layer.architecture_id, layer.position), layer.name)
    assert {(row["architecture_id"], row["position"]): row["name"] for row in found} == first
    assert len(found) == len(first)


def test_rows_without_a_run_can_be_merged(store: Path, writer_factory: WriterFactory) -> None:
    """Predictions of an unknown model have none."""
    from modelkb_store.log.experiment_log import ExperimentLog
    from modelkb_store.log.log_name import LogName
    from modelkb_store.records import PredictionRecord
    from small_experiment import STARTED

    home = writer_factory().home
    for number, run in enumerate([None, "b", None, "a"]):
        log = ExperimentLog(home, LogName.further("project=digits", "predictions"), run)
        record = PredictionRecord(str(number), run, None, STARTED, "predict", "[]", 1, 1, 0.5, None)
        log.add("predictions", [record])
        log.close()
    compact(home.files)

    rows = Tables(home.files).read("predictions").to_pylist()
    assert {(row["prediction_id"], row["experiment_id"]) for row in rows} == {
        ("0", None),
        ("1", "b"),
        ("2", None),
        ("3", "a"),
    }
    assert len(list((store / "predictions").rglob("*.parquet"))) == 1


def predictions(*experiments: str | None) -> pa.Table:
    rows = [
        {"prediction_id": f"p{number}", "experiment_id": run}
        for number, run in enumerate(experiments)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["predictions"])


@pytest.mark.parametrize(
    ("experiments", "in_order"),
    [
        (("b", None, "a", None), ["p1", "p3", "p2", "p0"]),
        ((None, None), ["p0", "p1"]),
        (("a",), ["p0"]),
    ],
)
def test_predictions_of_unknown_models_come_first(
    experiments: tuple[str | None, ...], in_order: list[str]
) -> None:
    found = sorted_by_key("predictions", predictions(*experiments))
    assert found["prediction_id"].to_pylist() == in_order


def test_predictions_of_unknown_models_are_merged(store_files: LocalFiles) -> None:
    for number, run in enumerate(("b", None, None)):
        content = memoryview(encode_rows("predictions", predictions(run)))
        store_files.write(f"predictions/project=digits/{number}.parquet", content)
    assert compact(store_files) == 2
    rows = Tables(store_files).read("predictions", columns=["experiment_id"])
    assert rows["experiment_id"].to_pylist() == [None, None, "b"]
