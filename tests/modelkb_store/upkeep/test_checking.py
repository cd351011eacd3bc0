from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from modelkb_store import CorruptFileError, Store, StoreNotFoundError
from modelkb_store.commits.compaction import compact
from modelkb_store.commits.rows import replace_rows
from modelkb_store.file_rows import read_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, decode_entry, encode_entry
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.upkeep.checking import Finding, Kind, check
from modelkb_store.upkeep.parquet_check import check_parquet
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record

FIRST = "20260102-030405678-0000000001"
V1 = Path(__file__).parents[2] / "data" / "store_v1"


def kinds(findings: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in findings}


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 0x40
    path.write_bytes(content)


def one(files: LocalFiles, pattern: str) -> Path:
    return sorted(files.root.glob(pattern))[0]


def test_a_whole_store(whole_store: LocalFiles) -> None:
    assert check(whole_store) == []


def test_a_compacted_store(whole_store: LocalFiles) -> None:
    compact(whole_store)

    assert check(whole_store) == []


def test_a_store_of_version_1() -> None:
    assert check(LocalFiles(V1)) == []


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError):
        check(LocalFiles(tmp_path / "nothing"))


def test_nothing_is_changed(whole_store: LocalFiles) -> None:
    compact(whole_store)
    one(whole_store, "layers/**/*.parquet").write_bytes(b"")
    before = {i: whole_store.read(i.path) for i in whole_store.list("")}

    assert check(whole_store)
    assert {i: whole_store.read(i.path) for i in whole_store.list("")} == before


def test_a_running_experiment_is_no_finding(whole_store: LocalFiles) -> None:
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])

    assert check(whole_store) == []

    writer.home.mirror(writer._log.name)
    assert check(whole_store) == []
    writer.close()
    assert check(whole_store) == []


def test_progress(whole_store: LocalFiles) -> None:
    told: list[tuple[int, int]] = []

    check(whole_store, lambda done, total: told.append((done, total)))

    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == len({total for _, total in told}) * told[-1][1]


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"format": "x", "version": 1}'])
def test_format(whole_store: LocalFiles, content: bytes | None) -> None:
    path = whole_store.root / "format.json"
    path.unlink() if content is None else path.write_bytes(content)

    (finding,) = check(whole_store)

    assert (finding.kind, finding.path) == (Kind.FORMAT, "format.json")


def test_a_damaged_manifest(whole_store: LocalFiles) -> None:
    compact(whole_store)
    newest = sorted(whole_store.root.glob("manifest/*.json"))[-1]
    newest.write_bytes(newest.read_bytes()[:-30])

    (finding,) = check(whole_store)

    assert (finding.kind, finding.path) == (Kind.MANIFEST, f"manifest/{newest.name}")


def test_a_compacted_file_that_is_gone(whole_store: LocalFiles) -> None:
    compact(whole_store)
    path = one(whole_store, "resources/project=digits/compact-*.parquet")
    path.unlink()

    (finding,) = check(whole_store)

    assert finding.kind is Kind.MISSING
    assert finding.path.endswith(path.name)


def test_a_compacted_file_with_other_content(whole_store: LocalFiles) -> None:
    compact(whole_store)
    path = one(whole_store, "resources/project=digits/compact-*.parquet")
    with path.open("r+b") as file:  # readable, but not what was written
        file.seek(0, 2)
        size = file.tell()
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(path, partitioning=None), path, compression="gzip")

    (finding,) = check(whole_store)

    assert finding.kind is Kind.DAMAGED
    assert "manifest" in finding.problem
    assert path.stat().st_size != size


@pytest.mark.parametrize("table", sorted(set(SCHEMAS) - {"predictions"}))
@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty", "foreign"])
def test_any_damaged_file_of_a_table(whole_store: LocalFiles, table: str, damage: str) -> None:
    path = one(whole_store, f"{table}/project=digits/*.parquet")
    if damage == "flipped":
        flip(path, path.read_bytes().index(b"\x28\xb5\x2f\xfd") + 8)  # in the first page
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        other = "epochs" if table != "epochs" else "layers"
        shutil.copy(one(whole_store, f"{other}/project=digits/*.parquet"), path)

    found = [f for f in check(whole_store) if f.kind is Kind.DAMAGED]

    assert [f.path for f in found] == [path.relative_to(whole_store.root).as_posix()]
    assert table in found[0].problem


@pytest.mark.parametrize("table", ["metrics", "experiments", "projects"])
def test_a_flipped_bit_anywhere_is_found_or_does_no_harm(
    whole_store: LocalFiles, table: str
) -> None:
    path = one(whole_store, f"{table}/project=digits/*.parquet")
    name, content = path.relative_to(whole_store.root).as_posix(), path.read_bytes()
    rows = read_rows(whole_store, name, table)
    for position in range(0, len(content), 7):
        path.write_bytes(content)
        flip(path, position)
        try:
            check_parquet(whole_store, name, table)
        except CorruptFileError:
            continue
        assert read_rows(whole_store, name, table).equals(rows), position


def test_leftovers_of_a_replacement(whole_store: LocalFiles) -> None:
    old = one(whole_store, "metrics/project=digits/*.parquet")
    content = old.read_bytes()
    compact(whole_store)
    old.write_bytes(content)

    (finding,) = check(whole_store)

    assert (finding.kind, finding.path) == (
        Kind.LEFTOVER,
        old.relative_to(whole_store.root).as_posix(),
    )


@pytest.mark.parametrize(
    "path",
    [
        "metrics/notes.txt",
        "metrics/project=digits/a.csv",
        "log/project=digits/x.txt",
        "log/x",
        "tombstones/x.txt",
        "metrics/stray.parquet",
    ],
)
def test_foreign_files(whole_store: LocalFiles, path: str) -> None:
    whole_store.write(path, b"a")

    (finding,) = check(whole_store)

    assert (finding.kind, finding.path) == (Kind.FOREIGN, path)


def test_a_dead_log_with_a_damaged_line(whole_store: LocalFiles) -> None:
    dead_log(whole_store, damaged=True)

    found = check(whole_store)

    assert kinds(found) == {Kind.LOG}
    assert len(found) == 2


def dead_log(files: LocalFiles, *, damaged: bool) -> str:
    """Leave the log of a process that is dead, and return its path."""
    writer = ExperimentWriter(files.root, "digits", experiment_record(9))
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 1, 0.25)])
    path = die(writer, "digits")
    if damaged:
        lines = path.read_bytes().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if b'"metrics"' in line)
        lines[at] = b"x" + lines[at][1:]
        path.write_bytes(b"".join(lines))
    return path.relative_to(files.root).as_posix()


def die(writer: ExperimentWriter, project: str) -> Path:
    """Leave a writer's log as if its process had died, and return its path."""
    path: Path = writer.files.root / LogName(
        project_folder(project), writer._log.name.log_id
    ).segment(0)
    writer._log._is_open = False
    first, rest = path.read_bytes().split(b"\n", 1)
    begin = decode_entry(first)
    assert begin is not None
    columns = {**begin.columns, "process": {**begin.columns["process"], "started": 1.0}}
    path.unlink()
    path.write_bytes(encode_entry(Action.BEGIN, "", columns) + rest)
    return path


def test_an_abandoned_claim(whole_store: LocalFiles) -> None:
    whole_store.write("log/project=digits/x.claim", b"{")
    assert check(whole_store) == []  # it may be being written
    os.utime(whole_store.root / "log/project=digits/x.claim", (1, 1))

    (finding,) = check(whole_store)

    assert finding.kind is Kind.LEFTOVER


def test_an_experiment_that_is_there_twice(whole_store: LocalFiles) -> None:
    path = whole_store.root / f"experiments/project=digits/{FIRST}.parquet"
    shutil.copy(path, path.with_name("copy.parquet"))

    (finding,) = check(whole_store)

    assert (finding.kind, finding.ids) == (Kind.DOUBLED, (FIRST,))


@pytest.mark.parametrize("table", ["metrics", "epochs", "models", "layers"])
def test_doubled_rows(whole_store: LocalFiles, table: str) -> None:
    path = one(whole_store, f"{table}/project=digits/*.parquet")
    shutil.copy(path, path.with_name("zz.parquet"))

    found = [f for f in check(whole_store) if f.kind is Kind.DOUBLED]

    assert [f.path for f in found] == [f"{table}/project=digits/zz.parquet"]


@pytest.mark.parametrize(
    "table", ["models", "datasets", "implementations", "environments", "experiments", "projects"]
)
def test_lost_rows_that_others_refer_to(whole_store: LocalFiles, table: str) -> None:
    for path in (whole_store.root / table / "project=digits").iterdir():
        path.unlink()

    found = check(whole_store)

    assert kinds(found) == {Kind.REFERENCE}
    if table not in ("experiments", "projects"):
        assert any(f.path == "experiments/project=digits" and FIRST in f.ids for f in found)


def test_lost_variables(whole_store: LocalFiles) -> None:
    for path in (whole_store.root / "variables" / "project=digits").iterdir():
        path.unlink()

    (finding,) = check(whole_store)

    assert (finding.kind, finding.column) == (Kind.REFERENCE, "variable_ids")
    assert FIRST in finding.ids


@pytest.mark.parametrize("kind", ["architectures", "files", "packs"])
@pytest.mark.parametrize("damage", ["deleted", "flipped", "truncated", "other"])
def test_objects(whole_store: LocalFiles, kind: str, damage: str) -> None:
    path = one(whole_store, f"objects/{kind}/*/*")
    content = path.read_bytes()
    if damage == "deleted":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "other":
        path.write_bytes(b"something else")
    else:
        inside = {"architectures": b"a1a1a1", "files": b"Epoch", "packs": b"\x00\x00\x80\x3f"}
        flip(path, content.index(inside[kind]) + 2)

    (finding,) = check(whole_store)

    assert finding.kind is (Kind.MISSING if damage == "deleted" else Kind.DAMAGED)
    assert finding.path == path.relative_to(whole_store.root).as_posix()


def test_objects_that_nobody_refers_to_are_no_finding(whole_store: LocalFiles) -> None:
    content = b"nobody's"
    digest = hashlib.sha256(content).hexdigest()
    whole_store.write(f"objects/files/{digest[:2]}/{digest}", content)

    assert check(whole_store) == []


def test_wrong_summaries(whole_store: LocalFiles) -> None:
    rows = Tables(whole_store).of_experiment("metric_summaries", "digits", FIRST)
    wrong = rows.set_column(3, rows.schema.field(3), pa.array([7] * rows.num_rows))
    replace_rows(whole_store, "metric_summaries", "digits", FIRST, wrong)

    (finding,) = check(whole_store)

    assert (finding.kind, finding.ids) == (Kind.SUMMARY, (FIRST,))


def test_a_damaged_tombstone(whole_store: LocalFiles) -> None:
    whole_store.write(f"tombstones/{FIRST}.json", json.dumps({"deleted_at": 5}).encode())

    (finding,) = check(whole_store)

    assert finding.kind is Kind.DAMAGED
    assert FIRST not in Store(whole_store.root).experiments()["experiment_id"].tolist()
