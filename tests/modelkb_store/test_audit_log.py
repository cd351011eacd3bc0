from __future__ import annotations

import errno
import os
import threading
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from modelkb_store import audit_log
from modelkb_store.audit_log import AuditEntry, AuditLog, read_audit
from modelkb_store.errors import StoreNotWritableError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import audit_day, create_store
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.collection import collect

NOON = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def entry(number: int = 0, at: datetime = NOON, **parameters: str) -> AuditEntry:
    about = {"project": "digits", "experiment_id": f"run-{number}", **parameters}
    return AuditEntry(
        at, "0123456789", "laptop", "192.0.2.1", "PATCH", "/experiments/{id}", about, 200
    )


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A new store."""
    files = LocalFiles(store)
    create_store(files)
    return files


def paths(files: LocalFiles) -> list[str]:
    return [info.path for info in files.list("audit")]


def test_what_is_added_is_there_a_moment_later(files: LocalFiles) -> None:
    log = AuditLog(files)
    began = time.monotonic()
    for number in range(500):
        log.add(entry(number))
    assert time.monotonic() - began < 5  # nothing is waited for
    log.flush()
    found = read_audit(files)
    assert {each.parameters["experiment_id"] for each in found} == {
        f"run-{number}" for number in range(500)
    }
    (path,) = paths(files)
    assert path.startswith("audit/2026-11/2026-11-28-")
    assert audit_day(path) == date(2026, 11, 28)
    log.close()


def test_servers_of_one_store_write_files_of_their_own(files: LocalFiles) -> None:
    logs = [AuditLog(files) for _ in range(3)]
    threads = [
        threading.Thread(
            target=lambda log=log, k=k: [log.add(entry(100 * k + n)) for n in range(50)]
        )
        for k, log in enumerate(logs)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for log in logs:
        log.flush()
    assert len(paths(files)) == 3
    assert len(read_audit(files)) == 150


def test_what_repeats_is_counted(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(files)
    for second in range(100):
        log.add(entry(1, NOON + timedelta(seconds=second)))
    log.add(entry(2))
    log.flush()
    assert len(read_audit(files)) == 2
    log.close()
    repeated, first, other = read_audit(files)
    assert (first.count, other.count, repeated.count) == (1, 1, 99)
    assert repeated.at == NOON + timedelta(seconds=1)
    assert repeated.until == NOON + timedelta(seconds=99)
    log.close()
    assert len(read_audit(files)) == 3

    monkeypatch.setattr(audit_log, "_REPEATS_SECONDS", 0.0)
    again = AuditLog(files)
    again.add(entry(3))
    again.flush()
    again.add(entry(3))
    again.flush()
    assert len(read_audit(files)) == 5


def test_entries_are_found_by_time_and_project(files: LocalFiles) -> None:
    log = AuditLog(files)
    for day in range(40):
        log.add(entry(day, NOON + timedelta(days=day), project="even" if day % 2 == 0 else "odd"))
    log.flush()
    assert len(paths(files)) == 40
    assert {path.split("/")[1] for path in paths(files)} == {"2026-11", "2026-12", "2027-01"}

    def numbers(**wanted: object) -> list[int]:
        found = read_audit(files, **wanted)  # type: ignore[arg-type]
        return [int(each.parameters["experiment_id"].removeprefix("run-")) for each in found]

    assert numbers() == list(range(39, -1, -1))
    assert numbers(offset=5, limit=3) == [34, 33, 32]
    assert numbers(limit=0) == []
    since, until = NOON + timedelta(days=3), NOON + timedelta(days=6)
    assert numbers(since=since, until=until) == [5, 4, 3]
    assert numbers(since=since, until=until, project="odd") == [5, 3]
    assert numbers(since=since.replace(tzinfo=None), until=until) == [5, 4, 3]


def test_lines_say_what_was_added(files: LocalFiles) -> None:
    assert AuditEntry.of_line(entry(1).line()) == entry(1)
    assert AuditEntry.of_line(entry(1).line()).parameters == entry(1).parameters
    hostile = entry(1, name="a\nb\0\ud800{")
    assert hostile.line().count(b"\n") == 1
    for broken in (b"", b"{}", b"[1]", b"null", entry(1).line()[:40], b'{"at": 3}'):
        with pytest.raises(ValueError, match=r".*"):
            AuditEntry.of_line(broken)


def test_a_server_that_was_killed_leaves_a_part_of_a_line(files: LocalFiles) -> None:
    log = AuditLog(files)
    log.add(entry(1))
    log.flush()
    path = files.local_path(paths(files)[0])
    with path.open("ab") as file:
        file.write(entry(2).line()[:30])
    assert [each.parameters["experiment_id"] for each in read_audit(files)] == ["run-1"]
    assert check(files) == []


class SlowFiles(LocalFiles):
    """Files of a disk that takes its time."""

    def local_path(self, path: str) -> Path:
        if path.startswith("audit/"):
            time.sleep(1.0)
        return super().local_path(path)


def test_who_adds_waits_for_no_disk(files: LocalFiles) -> None:
    log = AuditLog(SlowFiles(files.root))
    longest = 0.0
    for number in range(60):
        began = time.monotonic()
        log.add(entry(number))
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
    assert longest < 0.9
    log.close()
    assert len(read_audit(files)) == 60


class FullFiles(LocalFiles):
    """Files on a disk that has no space for a while."""

    is_full = True

    def local_path(self, path: str) -> Path:
        if path.startswith("audit/") and self.is_full:
            raise StoreNotWritableError(self.uri, "no space left")
        return super().local_path(path)


def test_a_full_disk_loses_nothing(files: LocalFiles, caplog: pytest.LogCaptureFixture) -> None:
    full = FullFiles(files.root)
    log = AuditLog(full)
    log.add(entry(1))
    log.flush()
    assert "cannot be written" in caplog.text
    assert read_audit(files) == []
    full.is_full = False
    log.add(entry(2))
    log.flush()
    assert len(read_audit(files)) == 2


def test_what_a_full_disk_refused_is_tried_again(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(audit_log, "_REPEATS_SECONDS", 0.0)
    full = FullFiles(files.root)
    log = AuditLog(full)
    log.add(entry(1))
    log.flush()
    time.sleep(0.5)  # several times as long as an idle thread lives
    full.is_full = False
    deadline = time.monotonic() + 20
    while not read_audit(files) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(read_audit(files)) == 1


def test_closing_writes_what_a_full_disk_refused(files: LocalFiles) -> None:
    full = FullFiles(files.root)
    log = AuditLog(full)
    log.add(entry(1))
    log.flush()
    full.is_full = False
    log.flush = lambda: None  # type: ignore[method-assign] # as if its thread did not come to it
    log.close()
    assert len(read_audit(files)) == 1


@pytest.mark.parametrize("kept", [0, 30, None])
def test_what_failed_in_between_is_there_once(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch, kept: int | None
) -> None:
    """A part was written, or all and the disk did not say so."""
    log = AuditLog(files)
    log.add(entry(1))
    log.flush()
    path = files.local_path(paths(files)[0])
    before = path.stat().st_size

    def failing(descriptor: int) -> None:
        if kept is not None:
            os.ftruncate(descriptor, before + kept)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        log.add(entry(2))
        log.flush()
    log.add(entry(3))
    log.flush()
    lines = path.read_bytes().splitlines()
    assert [AuditEntry.of_line(each).parameters["experiment_id"] for each in lines] == [
        "run-1", "run-2", "run-3"
    ]  # fmt: skip


def test_a_file_that_somebody_deleted_is_begun_anew(files: LocalFiles) -> None:
    log = AuditLog(files)
    for number in (1, 2):
        log.add(entry(number))
        log.flush()
        path = files.local_path(paths(files)[0])
        assert AuditEntry.of_line(path.read_bytes()) == entry(number)
        path.unlink()


class Bucket(LocalFiles):
    """Files that cannot be appended to, as those of a bucket."""

    def local_path(self, path: str) -> None:  # type: ignore[override]
        return None


def test_in_a_bucket_each_writing_is_a_file(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_BUCKET_PAUSE_SECONDS", 1.0)
    log = AuditLog(Bucket(files.root))
    for number in range(3):
        log.add(entry(number))
        log.flush()
    assert [path[-10:] for path in paths(files)] == ["0000.jsonl", "0001.jsonl", "0002.jsonl"]
    assert len(read_audit(files)) == 3


def test_upkeep_knows_the_folder(files: LocalFiles) -> None:
    log = AuditLog(files)
    log.add(entry(1))
    log.flush()
    collect(files, grace_seconds=0.0)
    assert len(read_audit(files)) == 1
    assert check(files) == []
    for path in ("audit/notes.txt", "audit/2026-11/2026-13-01-0123456789-0000.jsonl"):
        files.write(path, b"")
    assert {each.path for each in check(files)} == {
        "audit/notes.txt",
        "audit/2026-11/2026-13-01-0123456789-0000.jsonl",
    }


def test_its_thread_ends_by_itself(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(audit_log, "_REPEATS_SECONDS", 0.0)
    log = AuditLog(files)
    log.add(entry(1))
    deadline = time.monotonic() + 20
    while log._thread is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log._thread is None
    log.add(entry(2))
    log.flush()
    assert len(read_audit(files)) == 2
