"""Fixtures for stores on servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store_server import StoreServer


@pytest.fixture
def server_factory(tmp_path: Path) -> Iterator[Callable[[Path], StoreServer]]:
    """Starts servers, which end after the test."""
    servers: list[StoreServer] = []

    def make(store: Path) -> StoreServer:
        servers.append(StoreServer(store))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.stop()
