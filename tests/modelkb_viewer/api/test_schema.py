"""The API is as it describes itself, whatever it is asked, and with whichever token."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from limits import RateLimitItemPerMinute
from starlette.applications import Starlette

from described_api import Asked, ask_all, record_store
from modelkb_store import Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.api import limits
from modelkb_viewer.api.application import PATH, make_api
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.routes.whole_paths import WholePaths
from modelkb_viewer.tokens import Scope, Tokens
from viewer_server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Every limit that the description names as well: minutes.
WHOLE = "MODELKB_WHOLE_API" in os.environ
OPERATIONS = sum(len(methods) for methods in make_api().openapi()["paths"].values()) - 1


@dataclass
class Served:
    """A store that is served, and how it is asked."""

    store: Path
    address: str
    settings: dict[str, Any]

    def asked(
        self, token: str | None, without: Sequence[str] = (), *, covers: bool = False
    ) -> Asked:
        """Return what came of asking all operations."""
        # Of an experiment that runs it never ends.
        left_out = ["followExperiment", *without]
        described = f"{self.address}/openapi.json"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(STORE_VARIABLE, str(self.store))
            opened_store()  # as `modelkb serve` does before it is announced
            return ask_all(described, self.settings, token=token, covers=covers, without=left_out)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in a thread, which is not annoyed by wrong tokens."""
    store = tmp_path_factory.mktemp("schema") / "modelkb"
    settings = record_store(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "_WRONG_TOKENS", RateLimitItemPerMinute(1_000_000))
        app = Starlette(routes=[WholePaths(PATH, app=make_api())])
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield Served(store, f"http://127.0.0.1:{port}{PATH}", settings)
        server.should_exit = True
        thread.join()


def test_nobody_needs_a_token_where_there_is_none(served: Served) -> None:
    asked = served.asked(None, without=["createToken"])
    assert asked.failures == {}
    assert asked.operations == OPERATIONS - 1


@pytest.mark.parametrize("scope", [None, Scope.READ, Scope.ADMIN])
def test_somebody_with_and_without_a_token(served: Served, scope: Scope | None) -> None:
    tokens = Tokens(Store(served.store).files)
    _, text = tokens.create("tester", scope or Scope.READ)
    token = None if scope is None else text
    asked = served.asked(token, without=["revokeToken"], covers=scope is Scope.ADMIN and WHOLE)
    assert asked.failures == {}
    assert asked.operations == OPERATIONS - 1
