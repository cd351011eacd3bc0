"""What is kept of batches until it is written."""

from __future__ import annotations

import os
import time

import pytest

from modelkb_callbacks import batch_log
from modelkb_callbacks.batch_log import BatchLog


def test_each_batch_is_taken_once_though_it_was_told_twice() -> None:
    log = BatchLog(lambda: None)
    for batch in (0, 0, 1, 1):
        log.end_batch(batch, logs={"loss": 0.5})
    assert [batch for batch, _, _ in log.take()] == [0, 1]
    log.end_batch(1)
    log.end_batch(2)
    assert [batch for batch, _, _ in log.take()] == [2]


def test_numbers_begin_anew_with_an_epoch() -> None:
    log = BatchLog(lambda: None)
    log.end_batch(0)
    assert len(log.take()) == 1
    log.begin_epoch()
    log.end_batch(0)
    assert len(log.take()) == 1


def test_batches_of_a_long_epoch_are_written_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_log, "_WRITE_AFTER_SECONDS", 0.0)
    written = []
    log = BatchLog(lambda: written.extend(log.take()))
    before = time.time()
    log.end_batch(0, {"loss": 0.5})
    assert [(batch, logs) for batch, _, logs in written] == [(0, {"loss": 0.5})]
    assert before <= written[0][1] <= time.time()


def test_a_fork_writes_nothing_and_keeps_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_log, "_WRITE_AFTER_SECONDS", 0.0)
    written: list[str] = []
    log = BatchLog(lambda: written.append("written"))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    log.end_batch(0)
    assert not written
    assert log.take() == []
