from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from lost_processes import DEAD, leave_claims
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.claim import claimed
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity

NAME = LogName("project=digits", "20260102-030405678-00000000ab")
CLAIM = f"log/project=digits/{NAME.log_id}.claim"


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A folder."""
    return LocalFiles(store)


def test_one_at_a_time(files: LocalFiles) -> None:
    with claimed(files, NAME) as first:
        with claimed(files, NAME) as second:
            assert (first, second) == (True, False)
        assert files.exists(CLAIM), "who did not get it leaves it alone"
        with claimed(files, LogName("project=digits", "another")) as other:
            assert other
    assert not files.exists(CLAIM)
    with claimed(files, NAME) as again:
        assert again


def test_it_is_given_back_after_an_error(files: LocalFiles) -> None:
    with pytest.raises(OSError, match="full"), claimed(files, NAME):
        raise OSError("full")
    assert not files.exists(CLAIM)


def test_that_of_a_dead_process_is_taken_over(files: LocalFiles) -> None:
    files.create(CLAIM, b"{}")
    leave_claims(files, DEAD)
    with claimed(files, NAME) as is_mine:
        assert is_mine
        assert json.loads(files.read(CLAIM))["process_id"] == os.getpid()
    assert not files.exists(CLAIM)


@pytest.mark.parametrize(("age", "is_taken"), [(0, False), (100, False), (200, True)])
def test_that_of_another_machine_lasts_a_while(files: LocalFiles, age: int, is_taken: bool) -> None:
    files.create(CLAIM, b"{}")
    leave_claims(files, ProcessIdentity("another", 1, 0.0))
    grow_old(files, age)
    with claimed(files, NAME) as is_mine:
        assert is_mine == is_taken


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"process_id": "x"}', b"\xff"])
@pytest.mark.parametrize(("age", "is_taken"), [(0, False), (100, True)])
def test_one_that_was_not_written_whole(
    files: LocalFiles, content: bytes, age: int, is_taken: bool
) -> None:
    files.create(CLAIM, content)
    grow_old(files, age)
    with claimed(files, NAME) as is_mine:
        assert is_mine == is_taken


def grow_old(files: LocalFiles, seconds: float) -> None:
    """Let a claim be written some time ago."""
    path = files.local_path(CLAIM)
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def test_of_many_threads_one_has_it(files: LocalFiles) -> None:
    start, holders, most = threading.Barrier(8), [], []
    lock = threading.Lock()

    def work() -> None:
        start.wait()
        for _ in range(20):
            with claimed(files, NAME) as is_mine:
                if is_mine:
                    with lock:
                        holders.append(1)
                        most.append(len(holders))
                    with lock:
                        holders.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert not files.exists(CLAIM)


def test_an_abandoned_one_is_taken_over_once(files: LocalFiles) -> None:
    for _ in range(5):
        files.create(CLAIM, b"{}")
        leave_claims(files, DEAD)
        start, told = threading.Barrier(6), []

        def work(start: threading.Barrier = start, told: list[bool] = told) -> None:
            start.wait()
            with claimed(files, NAME) as is_mine:
                told.append(is_mine)
                start.wait()  # as long as the others look

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(told) == 1
        assert not files.exists(CLAIM)
