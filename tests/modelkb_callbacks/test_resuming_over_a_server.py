"""A training waits for no server, also where it must ask one."""

from __future__ import annotations

import socket
import time

import pytest

from modelkb_callbacks.resuming import find_resumed
from modelkb_callbacks.settings import Settings
from modelkb_store.errors import StoreUnreachableError
from modelkb_store.server import server_destination
from modelkb_store.server.connection import Patience


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sends = server_destination.PATIENCE
    assert sends.attempts * (sends.connect_seconds + sends.silence_seconds) < 20
    monkeypatch.setattr(server_destination, "PATIENCE", Patience(0.3, 0.3, 1))
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        place = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(StoreUnreachableError, match="imed out"):
            find_resumed(Settings(store=place, resume=True), None)
        assert time.monotonic() - begun < 20
