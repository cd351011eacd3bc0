"""A log that comes in pieces is whole and once, however they come, and whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lost_processes import leave_claims
from modelkb_store.commits.compaction import compact
from modelkb_store.editing import edit_experiment
from modelkb_store.errors import InvalidLogError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.log.entry import Action, decode_entry, encode_entry
from modelkb_store.log.folding import fold
from modelkb_store.log.log_contents import read_logs
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.receiving import end_received, receive, seal_received, show
from modelkb_store.log.recovery import recover
from modelkb_store.tables import Tables
from spooled_runs import spooled_runs
from store_rows import Rows, rows_of_plain_arrow, rows_of_readers
from viewer_server import free_port
from watched_files import Killed, WatchedFiles


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogName, bytes]:
    """The log of a complete run, as a process that was killed then has left it in its spool."""
    root = tmp_path_factory.mktemp("sent")
    spool = LocalFiles(spooled_runs(f"http://127.0.0.1:{free_port()}", root, 1, 1))
    (path,) = [info.path for info in spool.list("log") if info.path.endswith(".jsonl")]
    name, number = parse_segment(path) or (None, None)
    assert number == 0
    assert name is not None
    return name, spool.read(path)


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A store."""
    create_store(LocalFiles(store))
    return LocalFiles(store)


def send(files: LocalFiles, name: LogName, content: bytes) -> None:
    """Send all of a log, as a sender does who knows nothing of what is there."""
    there = receive(files, name, 0, len(content), b"")
    while there < len(content):
        there = receive(files, name, 0, there, content[there:])
    end_received(files, name, {0: len(content)})


def rows_when_sent_at_once(root: Path, name: LogName, content: bytes) -> Rows:
    create_store(LocalFiles(root))
    send(LocalFiles(root), name, content)
    rows = rows_of_readers(LocalFiles(root))
    assert len(rows["experiments"]) == 1
    assert len(rows["metrics"]) == 9
    return rows


@pytest.mark.parametrize(
    "facts",
    [
        {"process": "mine"},
        {"process": {"process_id": "x"}},
        {"process": {"started": [1]}},
        {"begun": "yesterday"},
        {"seen": ["tags"]},
        {"seen": {"tags": 3}},
        {"seen": {"notes": ["a"]}},
    ],
)
def test_a_first_line_that_readers_cannot_understand_is_not_kept(
    files: LocalFiles, facts: dict[str, object]
) -> None:
    name = LogName("project=digits", "20260102-030405678-00000000ab")
    begin = {"experiment_id": name.log_id, "segment": 0, "begun": 1.0, "is_sent": True}
    with pytest.raises(InvalidLogError):
        receive(files, name, 0, 0, encode_entry(Action.BEGIN, "", {**begin, **facts}))
    assert receive(files, name, 0, 0, encode_entry(Action.BEGIN, "", begin)) > 0
    assert len(read_logs(files)) == 1


def lines_until(content: bytes, lines: int) -> int:
    return sum(len(line) for line in content.splitlines(keepends=True)[:lines])


@given(data=st.data())
@settings(max_examples=30)
def test_pieces_in_any_order_and_number(
    data: st.DataObject, sent: tuple[LogName, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, content = sent
    size = st.integers(0, len(content))
    pieces = data.draw(st.lists(st.tuples(size, size), max_size=12))
    files = LocalFiles(tmp_path_factory.mktemp("pieces"))
    there = 0
    for start, end in [*pieces, (0, len(content)), *pieces]:
        said = receive(files, name, 0, start, content[start:end])
        assert said >= there
        there = said
        if files.exists(name.segment(0)):
            assert files.read(name.segment(0)) == content[:there]
    assert there == len(content)


def test_a_torn_line_is_replaced(files: LocalFiles, sent: tuple[LogName, bytes]) -> None:
    name, content = sent
    first = lines_until(content, 3)
    assert receive(files, name, 0, 0, content[: first + 10]) == first
    for torn in (content[first : first + 10], b"00000000 [nothing]\n"):
        with (files.root / name.segment(0)).open("ab") as file:
            file.write(torn)
        assert receive(files, name, 0, first, b"") == first
        assert receive(files, name, 0, 0, content[: first + 20]) == first
    assert receive(files, name, 0, first, content[first:]) == len(content)
    assert files.read(name.segment(0)) == content


def test_it_is_read_as_it_comes(files: LocalFiles, sent: tuple[LogName, bytes]) -> None:
    name, content = sent
    half = lines_until(content, 12)
    receive(files, name, 0, 0, content[:half])
    assert Tables(files).read("metrics").num_rows > 0
    show(files, name)
    assert rows_of_plain_arrow(files.root)["metrics"] == rows_of_readers(files)["metrics"]


@pytest.mark.parametrize("place", [4, 9, 14, 19])
def test_a_sender_that_was_away_goes_on(
    files: LocalFiles, sent: tuple[LogName, bytes], tmp_path: Path, place: int
) -> None:
    """Its log was folded twice meanwhile; nothing is lost, nothing doubled."""
    name, content = sent
    expected = rows_when_sent_at_once(tmp_path / "at-once", name, content)
    there = 0
    for end in (lines_until(content, place), lines_until(content, place + 3)):
        there = receive(files, name, 0, there, content[there:end])
        assert there == end
        (log,) = read_logs(files)
        assert fold(files, log.name)
        compact(files)
        assert Tables(files).read("experiments")["status"].to_pylist() == ["interrupted"]
        assert receive(files, name, 0, 0, content[:end]) == end
        assert receive(files, name, 0, end, b"") == end
        assert read_logs(files) == []

    send(files, name, content)
    assert rows_of_readers(files) == expected
    compact(files)
    assert rows_of_plain_arrow(files.root) == expected
    send(files, name, content)
    assert rows_of_readers(files) == expected
    assert files.list("log") == []


def test_it_runs_again_and_keeps_what_others_have_written(
    files: LocalFiles, sent: tuple[LogName, bytes]
) -> None:
    name, content = sent
    half, most = lines_until(content, 12), lines_until(content, 16)
    receive(files, name, 0, 0, content[:half])
    fold(files, name)
    edit_experiment(files, name.log_id, tags=["seen"], notes="while it was away")
    receive(files, name, 0, half, content[half:most])
    row = Tables(files).read("experiments").to_pylist()[0]
    # This machine's process that wrote it is dead, so it is not running again.
    assert (row["tags"], row["notes"], row["status"]) == (
        ["seen"],
        "while it was away",
        "interrupted",
    )
    send(files, name, content)
    row = Tables(files).read("experiments").to_pylist()[0]
    assert (row["tags"], row["notes"], row["status"]) == (["seen"], "while it was away", "finished")
    assert row["problems"] == []


def test_a_machine_elsewhere_is_known_by_its_signs_of_life(
    files: LocalFiles, sent: tuple[LogName, bytes]
) -> None:
    name, content = sent
    first, _, rest = content.partition(b"\n")
    begin = decode_entry(first)
    assert begin is not None
    process = {**begin.columns["process"], "machine": "elsewhere"}
    content = encode_entry(Action.BEGIN, "", {**begin.columns, "process": process}) + rest
    half = lines_until(content, 12)
    receive(files, name, 0, 0, content[:half])

    def status() -> str:
        recover(files)
        return str(Tables(files).read("experiments")["status"].to_pylist()[0])

    assert status() == "running"
    then = time.time() - 121
    os.utime(files.local_path(name.segment(0)), (then, then))
    assert status() == "interrupted"
    assert receive(files, name, 0, half, b"") == half
    assert status() == "running"
    # Folded for whatever reason: as soon as it goes on it runs again.
    fold(files, name)
    assert status() == "interrupted"
    receive(files, name, 0, half, content[half : lines_until(content, 13)])
    assert status() == "running"
    end_received(files, name, {0: lines_until(content, 13)}, modified=1767323045.0)
    assert status() == "interrupted"
    ended = Tables(files).read("experiments")["ended_at"].to_pylist()[0]
    assert ended.timestamp() == 1767323045.0


def test_nobody_folds_the_log_of_a_silent_sender_for_a_week(
    files: LocalFiles, sent: tuple[LogName, bytes]
) -> None:
    name, content = sent
    half = lines_until(content, 12)
    receive(files, name, 0, 0, content[:half])
    path = files.local_path(name.segment(0))
    for days, is_there in ((1.0, True), (6.9, True), (7.1, False)):
        then = time.time() - days * 86400
        os.utime(path, (then, then))
        recover(files)
        assert Tables(files).read("experiments")["status"].to_pylist() == ["interrupted"]
        assert path.exists() == is_there


def test_a_run_is_resumed_elsewhere_while_its_first_machine_is_silent(
    files: LocalFiles, sent: tuple[LogName, bytes]
) -> None:
    name, content = sent
    receive(files, name, 0, 0, content[: lines_until(content, 14)])
    lines = content.splitlines(keepends=True)
    begin = decode_entry(lines[0].rstrip())
    assert begin is not None
    (row,) = [line for line in lines if b'"finished"' in line]
    further = LogName.further(name.project_folder, name.log_id)
    resumed = encode_entry(Action.BEGIN, "", {**begin.columns, "begun": time.time()})
    resumed += encode_entry(Action.CUT, "", {"epoch": 1}) + row + encode_entry(Action.END, "", {})
    send(files, further, resumed)

    assert Tables(files).read("experiments")["status"].to_pylist() == ["finished"]
    assert set(Tables(files).read("metrics")["epoch"].to_pylist()) == {0}
    assert files.list("log") == []


@pytest.mark.usefixtures("_no_power_failure")
def test_the_server_may_be_killed_at_any_step(sent: tuple[LogName, bytes], tmp_path: Path) -> None:
    name, content = sent
    expected = rows_when_sent_at_once(tmp_path / "at-once", name, content)
    half = lines_until(content, 14)

    def all_of_it(files: LocalFiles) -> None:
        receive(files, name, 0, 0, content[:half])
        fold(files, name)
        send(files, name, content)

    counted = WatchedFiles(tmp_path / "counted")
    create_store(counted)
    all_of_it(counted)
    assert rows_of_readers(counted) == expected
    for step in range(2, counted.changes, max(1, counted.changes // 25)):
        root = tmp_path / f"killed-{step}"
        with pytest.raises(Killed):
            files = WatchedFiles(root, killed_after=step)
            create_store(files)
            all_of_it(files)
        leave_claims(LocalFiles(root))
        send(LocalFiles(root), name, content)
        recover(LocalFiles(root))
        assert rows_of_readers(LocalFiles(root)) == expected, step
        assert LocalFiles(root).list("log") == []
        shutil.rmtree(root)


def test_full_segments_come_again_after_they_were_sealed(
    files: LocalFiles, sent: tuple[LogName, bytes], tmp_path: Path
) -> None:
    name, content = sent
    expected = rows_when_sent_at_once(tmp_path / "at-once", name, content)
    first = lines_until(content, 14)
    begin = content[: lines_until(content, 1)]
    second = begin + content[first:]
    receive(files, name, 0, 0, content[:first])
    receive(files, name, 1, 0, second[:-400])
    for _ in range(2):
        assert receive(files, name, 0, 0, content[:first]) == first
        seal_received(files, name, 0, first)
        assert not files.exists(name.segment(0))
    receive(files, name, 1, 0, second)
    end_received(files, name, {0: first, 1: len(second)})
    assert rows_of_readers(files) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"00000000 [1]\n", "checksum"),
        (encode_entry(Action.ADD, "nothing", {}), "no table 'nothing'"),
        (encode_entry(Action.ADD, "metrics", {"epoch": ["x"]}), "."),
        (encode_entry(Action.ADD, "metrics", {"experiment_id": ["other"]}), "'other'"),
        (encode_entry(Action.PUT, "edits", {"experiment_id": ["other"]}), "'other'"),
        (encode_entry(Action.BEGIN, "", {"experiment_id": "other"}), "'other'"),
        (encode_entry(Action.CUT, "", {}), "epoch"),
        (encode_entry(Action.CUT, "", {"epoch": 1 << 70}), "epoch"),
        (encode_entry(Action.ADD, "metrics", json.loads("[" * 900 + "]" * 900)), "."),
    ],
)
def test_what_cannot_be_read_is_not_kept(
    files: LocalFiles, sent: tuple[LogName, bytes], line: bytes, reason: str
) -> None:
    name, content = sent
    some = content[: lines_until(content, 2)]
    receive(files, name, 0, 0, some)
    with pytest.raises(InvalidLogError, match=reason):
        receive(files, name, 0, len(some), line)
    with pytest.raises(InvalidLogError, match="begins with who sends it"):
        receive(files, name, 1, 0, content[len(some) :])
    with pytest.raises(InvalidLogError, match="another text"):
        receive(files, name, 0, 1, some)
    assert files.read(name.segment(0)) == some
    assert receive(files, name, 0, len(some), b"   \n") == len(some) + 4
    assert read_logs(files)[0].segments[0].damaged_lines == 0
