from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from log_lines import add_rows, put_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, columns_of
from modelkb_store.log.log_contents import LogContents, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.log_writer import LogWriter
from modelkb_store.records import EpochRecord, HyperparameterRecord
from small_experiment import STARTED, experiment_record, metric_record

ID = "20260102-030405678-00000000ab"
NAME = LogName("project=digits", ID)
WriterFactory = Callable[..., LogWriter]


@pytest.fixture
def segment_factory(store: Path) -> Iterator[WriterFactory]:
    """Begins segments of logs."""
    writers: list[LogWriter] = []

    def make(number: int = 0, name: LogName = NAME, experiment_id: str | None = ID) -> LogWriter:
        writers.append(LogWriter(store, name, number, {"experiment_id": experiment_id}))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


def read(store: Path) -> LogContents:
    (log,) = read_logs(LocalFiles(store))
    return log


def add_epochs(writer: LogWriter, *epochs: int) -> None:
    for epoch in epochs:
        add_rows(writer, "metrics", [metric_record(ID, epoch, float(epoch))])
        add_rows(writer, "epochs", [EpochRecord(ID, epoch, STARTED, 1.0, None, None)])


def epochs_in(log: LogContents, table: str = "metrics") -> list[int]:
    return log.added(table)["epoch"].to_pylist()


def test_a_store_without_logs(store: Path) -> None:
    assert read_logs(LocalFiles(store)) == []


def test_what_is_added_comes_together(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1)
    add_epochs(writer, 2)

    log = read(store)
    assert (log.name, log.experiment_id) == (NAME, ID)
    assert epochs_in(log) == epochs_in(log, "epochs") == [0, 1, 2]
    assert log.added("resources").num_rows == 0
    assert (log.is_first, log.is_whole, log.has_ended, log.is_alive) == (True, True, False, True)
    assert (log.cut, log.put) == (None, {})
    assert log.stems == {f"{ID}-0000"}


def test_of_some_tables_alone(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1, 2)
    put_rows(writer, "experiments", [experiment_record(1)])
    writer.append(Action.CUT, "", {"epoch": 2})
    writer.append(Action.END, "", {})

    (log,) = read_logs(LocalFiles(store), tables=["epochs"])

    assert epochs_in(log, "epochs") == [0, 1]
    assert not log.added("metrics").num_rows
    assert not log.put
    assert (log.experiment_id, log.cut, log.has_ended) == (ID, 2, True)
    assert log.segments[0].size_bytes == read(store).segments[0].size_bytes


def test_of_some_tables_alone_with_damaged_lines(
    store: Path, segment_factory: WriterFactory
) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1)
    lines = writer.path.read_bytes().split(b"\n")
    damaged = [
        b"x" + lines[0],
        lines[1],
        lines[2],
        lines[3].replace(b"epoch", b"epocs"),
        *lines[4:],
    ]
    writer.path.write_bytes(b"\n".join(damaged))

    (log,) = read_logs(LocalFiles(store), tables=["epochs"])

    assert epochs_in(log, "epochs") == [0, 1]
    assert log.experiment_id == ID  # as its rows of that table say
    assert log.segments[0].damaged_lines == 1  # the first; of other tables none is looked at


def test_the_last_that_is_put_counts(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    for value in ("1", "2"):
        put_rows(
            writer, "hyperparameters", [HyperparameterRecord(ID, "epochs", value, None, "fit")]
        )
    assert read(store).put["hyperparameters"]["value"].to_pylist() == ["2"]

    put_rows(segment_factory(1), "hyperparameters", [])
    assert read(store).put["hyperparameters"].num_rows == 0


def test_a_cut_drops_what_came_before_it(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1, 2, 3)
    writer.append(Action.CUT, "", {"epoch": 2})
    add_epochs(writer, 2, 3, 4)
    assert epochs_in(read(store)) == [0, 1, 2, 3, 4]
    assert read(store).cut == 2

    writer.append(Action.CUT, "", {"epoch": 4})
    assert epochs_in(read(store)) == epochs_in(read(store), "epochs") == [0, 1, 2, 3]
    assert read(store).cut == 2, "rows in Parquet files are as before the first"


def test_a_cut_reaches_earlier_segments(store: Path, segment_factory: WriterFactory) -> None:
    add_epochs(segment_factory(0), 0, 1, 2)
    add_epochs(segment_factory(1), 3)
    writer = segment_factory(2)
    writer.append(Action.CUT, "", {"epoch": 1})
    add_epochs(writer, 1)

    log = read(store)
    assert epochs_in(log) == epochs_in(log, "epochs") == [0, 1]
    assert [segment.rows("metrics").num_rows for segment in log.segments] == [1, 0, 1]


def test_segments_are_in_the_order_of_their_numbers(
    store: Path, segment_factory: WriterFactory
) -> None:
    for number in (10_000, 2, 9_999, 1):
        add_epochs(segment_factory(number), number)

    log = read(store)
    assert epochs_in(log) == [1, 2, 9_999, 10_000]
    assert not log.is_whole
    assert log.changes_summaries


def test_what_is_torn_off_is_not_read(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1)
    whole = writer.path.read_bytes()

    start = len(whole) - len(whole.splitlines()[-1]) - 1
    for length in range(start, len(whole)):
        writer.path.write_bytes(whole[:length])
        log = read(store)
        assert epochs_in(log) == [0, 1]
        assert epochs_in(log, "epochs") == [0]
        assert log.segments[0].damaged_lines == 0


def test_a_damaged_line_takes_nothing_else_with_it(
    store: Path, segment_factory: WriterFactory
) -> None:
    writer = segment_factory()
    add_epochs(writer, 0, 1)
    lines = writer.path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"loss"', b'"lass"')
    writer.path.write_bytes(b"".join(lines))

    log = read(store)
    assert epochs_in(log) == [1]
    assert epochs_in(log, "epochs") == [0, 1]
    assert log.segments[0].damaged_lines == 1


def test_a_damaged_first_line_takes_nothing_else_with_it(
    store: Path, segment_factory: WriterFactory
) -> None:
    writer = segment_factory()
    put_rows(writer, "experiments", [experiment_record(experiment_id=ID)])
    add_epochs(writer, 0)
    content = bytearray(writer.path.read_bytes())
    content[12] ^= 1
    writer.path.write_bytes(content)

    log = read(store)
    assert (log.experiment_id, log.is_first) == (ID, True)
    assert epochs_in(log) == [0]
    assert log.segments[0].damaged_lines == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"garbage", b"\xff" * 100 + b"\n"])
def test_a_file_without_a_whole_line(store: Path, content: bytes) -> None:
    path = store / NAME.segment(0)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    log = read(store)
    assert (log.experiment_id, log.is_first, dict(log.begin)) == (None, False, {})
    assert log.is_alive, "somebody may be about to write it"


def test_entries_of_a_later_version(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    writer.append(Action.ADD, "colours", {"red": [1]})
    columns = {**columns_of("metrics", [metric_record(ID, 0, 1.0)]), "colour": ["red"]}
    writer.append(Action.ADD, "metrics", columns)

    assert epochs_in(read(store)) == [0]
    assert read(store).segments[0].damaged_lines == 0


def test_rows_of_wrong_types_are_damaged(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    writer.append(Action.ADD, "metrics", {"epoch": ["zero"]})
    add_epochs(writer, 1)

    assert epochs_in(read(store)) == [1]
    assert read(store).segments[0].damaged_lines == 1


def test_of_what_is_put_the_last_that_can_be_read_counts(
    store: Path, segment_factory: WriterFactory
) -> None:
    writer = segment_factory()
    for name in ("lr", "decay"):
        put_rows(writer, "hyperparameters", [HyperparameterRecord(ID, name, "0.1", None, "user")])
    writer.append(Action.PUT, "hyperparameters", {"name": [["momentum"]]})

    log = read(store)

    assert log.put["hyperparameters"]["name"].to_pylist() == ["decay"]
    assert log.segments[0].damaged_lines == 1


def test_logs_of_one_experiment_are_in_the_order_they_were_begun(
    store: Path, segment_factory: WriterFactory
) -> None:
    names = [LogName("project=digits", f"{ID}-{end}") for end in ("ffff", "0000", "8888")]
    for name in names:
        segment_factory(0, name)
    segment_factory(0)
    for end in "cd":
        segment_factory(0, LogName("project=a", ID[:-1] + end), ID[:-1] + end)

    logs = read_logs(LocalFiles(store))
    assert [log.name for log in logs if log.experiment_id == ID] == [NAME, *names]
    assert len(logs) == 6
    assert [log.name for log in read_logs(LocalFiles(store), names[1].log_id)] == [names[1]]


def test_the_best_checkpoint_so_far(store: Path, segment_factory: WriterFactory) -> None:
    from datetime import timedelta

    from modelkb_store.records import CheckpointRecord

    def checkpoint(kind: str, number: int) -> CheckpointRecord:
        created = STARTED + timedelta(seconds=number)
        return CheckpointRecord(ID, kind, number, None, None, "{}", (), (), 0, created)

    for number in range(2):
        writer = segment_factory(number)
        add_rows(writer, "checkpoints", [checkpoint("best", 2 * number)])
        add_rows(writer, "checkpoints", [checkpoint("epoch", 2 * number + 1)])

    rows = read(store).added("checkpoints").to_pylist()
    assert [(row["kind"], row["epoch"]) for row in rows] == [
        ("epoch", 1),
        ("best", 2),
        ("epoch", 3),
    ]


def test_its_end_is_said(store: Path, segment_factory: WriterFactory) -> None:
    writer = segment_factory()
    assert not read(store).is_over
    writer.append(Action.END, "", {})
    assert read(store).has_ended
    assert read(store).is_over
