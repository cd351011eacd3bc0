from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from log_lines import add_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, decode_entry
from modelkb_store.log.log_contents import LogContents, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.log_writer import LogWriter
from modelkb_store.log.process_identity import ProcessIdentity
from small_experiment import metric_record

ID = "20260102-030405678-00000000ab"
NAME = LogName("project=digits", ID)


@pytest.fixture
def writer(store: Path) -> Iterator[LogWriter]:
    """A log that has just begun."""
    writer = LogWriter(store, NAME, 0, {"experiment_id": ID})
    yield writer
    writer.close()


@pytest.fixture
def _full_disk() -> Iterator[None]:
    """No file may grow beyond 4000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def give_space() -> None:
    """Let files grow again."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def written(store: Path) -> LogContents:
    (log,) = read_logs(LocalFiles(store))
    return log


def epochs_in(store: Path) -> list[int]:
    return written(store).added("metrics")["epoch"].to_pylist()


def test_the_first_line_says_who_writes(store: Path, writer: LogWriter) -> None:
    first = decode_entry(writer.path.read_bytes().splitlines()[0])

    assert first is not None
    assert first.action is Action.BEGIN
    assert first.columns["experiment_id"] == ID
    assert first.columns["segment"] == 0
    assert ProcessIdentity.from_columns(first.columns["process"]).is_alive(0.0)
    assert writer.path == store / "log" / "project=digits" / f"{ID}-0000.jsonl"


def test_an_entry_is_in_the_file_at_once(store: Path, writer: LogWriter) -> None:
    for epoch in range(3):
        add_rows(writer, "metrics", [metric_record(ID, epoch, 0.5)])
        assert epochs_in(store) == list(range(epoch + 1))
        assert writer.size_bytes == writer.path.stat().st_size
    add_rows(writer, "metrics", [])
    assert epochs_in(store) == [0, 1, 2]


def test_what_is_synced_is_known(writer: LogWriter) -> None:
    writer.sync()
    assert writer.is_synced
    add_rows(writer, "metrics", [metric_record(ID, 0, 0.5)])
    assert not writer.is_synced
    assert writer.synced_bytes < writer.size_bytes
    writer.sync()
    assert writer.synced_bytes == writer.size_bytes


def test_a_segment_is_begun_once(store: Path, writer: LogWriter) -> None:
    with pytest.raises(FileExistsError):
        LogWriter(store, NAME, 0, {})
    assert written(store).experiment_id == ID


def test_what_cannot_be_json_is_not_written(store: Path, writer: LogWriter) -> None:
    with pytest.raises(TypeError):
        writer.append(Action.ADD, "metrics", {"value": [object()]})
    add_rows(writer, "metrics", [metric_record(ID, 0, 0.5)])

    assert epochs_in(store) == [0]


@pytest.mark.usefixtures("_full_disk")
def test_entries_wait_for_a_disk_that_is_full(store: Path, writer: LogWriter) -> None:
    refused = 0
    for epoch in range(100):
        try:
            add_rows(writer, "metrics", [metric_record(ID, epoch, 0.5)])
        except OSError:
            refused += 1
    assert 50 < refused < 100
    assert epochs_in(store) == list(range(100 - refused))
    assert writer.path.read_bytes().endswith(b"\n"), "no half line is left"
    assert not writer.is_synced

    give_space()
    add_rows(writer, "metrics", [metric_record(ID, 100, 0.5)])
    assert epochs_in(store) == list(range(101)), "nothing is lost, and all is in order"
    assert written(store).segments[0].damaged_lines == 0


@pytest.mark.usefixtures("_full_disk")
def test_they_are_written_without_a_next_one(store: Path, writer: LogWriter) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        add_rows(writer, "metrics", [metric_record(ID, epoch, 0.5) for epoch in range(1000)])
    give_space()
    writer.write_waiting()
    assert len(epochs_in(store)) == 1000


@pytest.mark.usefixtures("_full_disk")
def test_a_log_that_cannot_begin_leaves_nothing(store: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        LogWriter(store, NAME, 0, {"experiment_id": "x" * 5000})

    assert LocalFiles(store).list("log") == []
    assert read_logs(LocalFiles(store)) == []


def test_what_waits_does_not_fill_the_memory(
    store: Path, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelkb_store.log.log_writer._MOST_WAITING_BYTES", 2000)
    writer.sync()
    os.dup2(os.open("/dev/full", os.O_WRONLY), writer._file)
    for epoch in range(100):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            add_rows(writer, "metrics", [metric_record(ID, epoch, 0.5)])
    assert sum(map(len, writer._waiting)) <= 2000
    assert json.loads(writer._waiting[-1].split(b" ", 1)[1])[2]["epoch"] == [99]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(OSError, match="store"):
        LogWriter(tmp_path / "store", NAME, 0, {})


def test_threads_may_share_it(store: Path, writer: LogWriter) -> None:
    start = threading.Barrier(8)

    def write(thread: int) -> None:
        start.wait()
        for number in range(50):
            add_rows(
                writer, "metrics", [metric_record(ID, thread, float(number), metric="m" * 300)]
            )

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    log = written(store)
    assert log.segments[0].damaged_lines == 0
    rows = log.added("metrics").to_pylist()
    for thread in range(8):
        values = [row["value"] for row in rows if row["epoch"] == thread]
        assert values == [float(number) for number in range(50)]
    assert writer.size_bytes == writer.path.stat().st_size


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_nothing_is_lost_when_the_process_is_killed(store: Path, number: signal.Signals) -> None:
    program = textwrap.dedent(
        """
        import pathlib, sys
        from modelkb_store.log.log_name import LogName
        from modelkb_store.log.log_writer import LogWriter

        name = LogName("project=digits", "run")
        writer = LogWriter(pathlib.Path(sys.argv[1]), name, 0, {"experiment_id": "run"})
        for epoch in range(1_000_000):
            writer.append("add", "metrics", {"experiment_id": "run", "epoch": [epoch]})
            print(epoch, flush=True)
        """
    ).replace('"add"', "Action.ADD")
    program = "from modelkb_store.log.entry import Action\n" + program
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(store)], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line == "200\n":
            process.send_signal(number)
            break
    said = [200, *map(int, process.communicate()[0].split())]

    epochs = epochs_in(store)
    assert epochs == list(range(len(epochs)))
    assert len(epochs) >= said[-1] + 1


def test_it_knows_whether_its_file_is_there(writer: LogWriter) -> None:
    assert writer.is_there
    content = writer.path.read_bytes()
    writer.path.unlink()
    assert not writer.is_there
    writer.path.write_bytes(content)
    assert not writer.is_there, "another file of the same name is not its own"


def test_a_touch_is_a_sign_of_life(store: Path, writer: LogWriter) -> None:
    os.utime(writer.path, (0, 0))
    writer.touch()
    assert written(store).modified.year >= 2024
