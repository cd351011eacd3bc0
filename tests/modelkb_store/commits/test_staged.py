"""Files that other programs have written take the place of others, or change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import Store
from modelkb_store.commits.compaction import compact, mergeable_files, sorted_by_key
from modelkb_store.commits.manifest import CompactedFile, Manifest, publish, read_manifest
from modelkb_store.commits.rows import replace_rows
from modelkb_store.commits.staged import (
    commit_files,
    describe_staged,
    staging_folder,
    write_staged,
)
from modelkb_store.errors import StagedFileError
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import open_files
from modelkb_store.log.folding import mirror
from modelkb_store.log.log_name import LogName
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import consistently
from modelkb_store.table_file import encode_rows
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from object_store import object_credentials, object_server, object_store
from small_experiment import experiment_record, metric_record

__all__ = ["object_credentials", "object_server", "object_store"]

FOLDER = "project=digits"


def metrics(*numbers: int) -> pa.Table:
    rows = [
        {"experiment_id": f"run-{number:03d}", "epoch": epoch, "metric": "loss", "value": 1.0}
        for number in numbers
        for epoch in range(3)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["metrics"])


@pytest.fixture(params=["local", "s3"])
def files(request: pytest.FixtureRequest, store_files: LocalFiles) -> Files:
    """A store with metrics of four runs in a file each."""
    files: Files = store_files
    if request.param == "s3":
        server = request.getfixturevalue("object_store")
        files = open_files(server.url(server.bucket()))
    for number in range(4):
        content = encode_rows("metrics", metrics(number))
        files.write(f"metrics/{FOLDER}/run-{number:03d}-0000.parquet", memoryview(content))
    return files


def inputs(files: Files) -> list[str]:
    found = consistently(files, lambda now: mergeable_files(now, "metrics", FOLDER))
    return [info.path for info in found]


def merged(files: Files, paths: list[str]) -> Iterator[pa.RecordBatch]:
    rows = pa.concat_tables(read_rows(files, path, "metrics") for path in paths)
    yield from sorted_by_key("metrics", rows).to_batches(5)


def staged_merge(files: Files, paths: list[str]) -> dict[str, CompactedFile]:
    path = f"{staging_folder()}/part.parquet"
    facts = write_staged(files, "metrics", path, merged(files, paths))
    assert facts is not None
    return {path: facts}


def runs(files: Files) -> list[str]:
    found: list[str] = Tables(files).read("metrics")["experiment_id"].to_pylist()
    return sorted(found)


def test_staged_files_take_the_place_of_others(files: Files) -> None:
    before, paths = runs(files), inputs(files)
    staged = staged_merge(files, paths)
    assert runs(files) == before  # nothing counts yet
    assert commit_files(files, "metrics", FOLDER, staged, paths)
    assert runs(files) == before
    (info,) = files.list("metrics")
    (known,) = read_manifest(files).files.items()
    assert known == (info.path, describe_staged(files, "metrics", info.path))
    assert (known[1].first_key, known[1].last_key, known[1].row_count) == ("run-000", "run-003", 12)
    assert not any(files.exists(path) for path in staged)


def test_files_of_running_logs_are_left_alone(store: Path) -> None:
    record = experiment_record(1)
    writer = ExperimentWriter(store, "digits", record)
    writer.append_metrics([metric_record(record.experiment_id, 0, 0.5)])
    mirror(writer.files, LogName(FOLDER, record.experiment_id))
    assert [info.path for info in writer.files.list("metrics")]
    assert inputs(writer.files) == []
    writer.close()
    assert len(inputs(writer.files)) == 1


@pytest.mark.parametrize("change", ["merged", "edited"])
def test_inputs_that_changed_are_not_replaced(store_files: LocalFiles, change: str) -> None:
    for number in range(4):
        content = encode_rows("metrics", metrics(number))
        path = f"metrics/{FOLDER}/run-{number:03d}-0000.parquet"
        store_files.write(path, memoryview(content))
    paths = inputs(store_files)
    staged = staged_merge(store_files, paths)
    if change == "merged":
        compact(store_files)
    else:
        replace_rows(store_files, "metrics", "digits", "run-001", metrics(1).slice(0, 1))
    before = runs(store_files)
    assert not commit_files(store_files, "metrics", FOLDER, staged, paths)
    assert runs(store_files) == before
    assert all(store_files.exists(path) for path in staged)


def test_another_commit_between_is_no_matter(
    store_files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = memoryview(encode_rows("metrics", metrics(1)))
    store_files.write(f"metrics/{FOLDER}/run-001-0000.parquet", content)
    paths = inputs(store_files)
    staged = staged_merge(store_files, paths)

    def other_was_faster(files: Files, manifest: Manifest) -> bool:
        monkeypatch.undo()
        assert publish(files, read_manifest(files).changed({}, ()))
        return publish(files, manifest)

    monkeypatch.setattr("modelkb_store.commits.transaction.publish", other_was_faster)
    assert commit_files(store_files, "metrics", FOLDER, staged, paths)
    assert read_manifest(store_files).version == 2
    assert runs(store_files) == ["run-001"] * 3


def test_a_staged_file_that_is_gone_changes_nothing(store_files: LocalFiles) -> None:
    content = memoryview(encode_rows("metrics", metrics(1)))
    store_files.write(f"metrics/{FOLDER}/run-001-0000.parquet", content)
    paths = inputs(store_files)
    staged = staged_merge(store_files, paths)
    store_files.delete(next(iter(staged)))
    with pytest.raises(StagedFileError, match="it is not there"):
        commit_files(store_files, "metrics", FOLDER, staged, paths)
    assert runs(store_files) == ["run-001"] * 3


def test_no_rows_make_no_file(store_files: LocalFiles) -> None:
    assert write_staged(store_files, "metrics", ".staged/a.parquet", iter(())) is None
    assert not store_files.exists(".staged/a.parquet")


def test_types_as_others_spell_them_are_ours_in_the_file(store_files: LocalFiles) -> None:
    rows = metrics(1)
    place = rows.schema.get_field_index("wall_time")
    spelt = rows.set_column(
        place, "wall_time", rows["wall_time"].cast(pa.timestamp("us", tz="Etc/UTC"))
    )
    facts = write_staged(store_files, "metrics", ".staged/a.parquet", spelt.to_batches())
    assert facts == describe_staged(store_files, "metrics", ".staged/a.parquet")
    with store_files.open(".staged/a.parquet") as file:
        assert pq.read_schema(file).equals(SCHEMAS["metrics"], check_metadata=True)


@pytest.mark.parametrize("what", ["no parquet", "column", "type", "metadata"])
def test_files_that_are_not_of_the_table_are_refused(store_files: LocalFiles, what: str) -> None:
    rows = {
        "column": metrics(1).drop_columns(["value"]),
        "type": metrics(1).set_column(1, "epoch", pa.array([0, 1, 2], pa.int64())),
        "metadata": metrics(1).replace_schema_metadata(),
    }
    path = store_files.local_path(".staged/a.parquet")
    path.parent.mkdir()
    if what == "no parquet":
        path.write_bytes(b"something else")
    else:
        pq.write_table(rows[what], path)
    with pytest.raises(StagedFileError, match=r"a\.parquet cannot be put into the table metrics"):
        describe_staged(store_files, "metrics", ".staged/a.parquet")


def test_other_readers_pass_over_staging(store_files: LocalFiles) -> None:
    content = memoryview(encode_rows("metrics", metrics(1)))
    store_files.write(f"metrics/{FOLDER}/run-001-0000.parquet", content)
    staged_merge(store_files, inputs(store_files))
    assert len(Store(store_files.root).metrics()) == 3
    assert [info.path for info in store_files.list("")][-1].endswith("0000.parquet")
