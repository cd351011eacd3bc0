from __future__ import annotations

import pytest

from modelkb_store.errors import (
    ModelKBError,
    ServerRefusedError,
    StoreBusyError,
    StoreUnreachableError,
    TokenError,
)
from modelkb_store.transfer import delay
from modelkb_store.transfer.delay import Delay

AWAY = StoreUnreachableError("https://lab", "refused")


def test_it_is_tried_less_and_less_often() -> None:
    found = Delay()
    pauses = []
    for _ in range(6):
        found.note(AWAY)
        pauses.append(found.pause_seconds)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    found.end()
    found.note(AWAY)
    assert found.pause_seconds == 2.0


def test_a_server_that_was_never_there_is_told_once_at_the_end_of_a_run() -> None:
    found = Delay()
    assert found.reason(is_over=True) is None
    found.note(AWAY)
    assert found.reason() is None
    assert found.reason(is_over=True) == str(AWAY)
    found.end()
    found.note(AWAY)
    assert found.reason(is_left=True) is None


def test_an_interruption_is_told_if_it_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Delay()
    found.end()
    found.note(AWAY)
    assert found.reason(is_over=True) is None
    monkeypatch.setattr(delay, "_TOLD_AFTER_SECONDS", -1.0)
    assert found.reason() == str(AWAY)
    left = Delay()
    left.note(StoreBusyError("https://lab", None))
    monkeypatch.undo()
    assert left.reason() is None
    assert left.reason(is_left=True) is not None


@pytest.mark.parametrize(
    "error", [TokenError("https://lab", "Revoked."), ServerRefusedError("https://lab", "No.")]
)
def test_what_time_does_not_mend_is_told_at_once(error: ModelKBError) -> None:
    found = Delay()
    found.note(error)
    assert found.reason() == str(error)


def test_how_long_the_end_of_a_process_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Delay()
    found.note(AWAY)
    assert found.patience_seconds == 5.0
    found.end()
    found.note(AWAY)
    assert found.patience_seconds == 20.0
    found.note(TokenError("https://lab", "It is revoked."))
    assert found.patience_seconds == 0.0
    monkeypatch.setattr(delay, "PATIENCE_AT_EXIT_SECONDS", 1.0)
    assert Delay().patience_seconds == 1.0
