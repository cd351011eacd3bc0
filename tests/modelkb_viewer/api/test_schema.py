"""The API is as it describes itself, whatever it is asked, and with whichever token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from limits import RateLimitItemPerMinute
from schemathesis.specs.openapi.schemas import OpenApiSchema
from starlette.applications import Starlette

from described_api import record_store
from modelkb_store import Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.api import limits
from modelkb_viewer.api.application import PATH, make_api
from modelkb_viewer.routes.whole_paths import WholePaths
from modelkb_viewer.tokens import Scope, Tokens
from viewer_server import free_port

pytestmark = pytest.mark.slow


@dataclass
class Served:
    """A store that is served, and how it is asked."""

    store: Path
    address: str
    config: Any

    def schema(self) -> OpenApiSchema:
        """Return what the API says of itself now."""
        found = schemathesis.openapi.from_url(f"{self.address}/openapi.json", config=self.config)
        # It never ends for an experiment that runs.
        return found.exclude(operation_id="followExperiment")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in a thread, which is not annoyed by wrong tokens."""
    store = tmp_path_factory.mktemp("schema") / "modelkb"
    config = record_store(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STORE_VARIABLE, str(store))
        patch.setattr(limits, "_WRONG_TOKENS", RateLimitItemPerMinute(1_000_000))
        app = Starlette(routes=[WholePaths(PATH, app=make_api())])
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield Served(store, f"http://127.0.0.1:{port}{PATH}", config)
        server.should_exit = True
        thread.join()


@pytest.fixture
def without_tokens(served: Served) -> OpenApiSchema:
    """The API of a server that has no tokens, and gets none."""
    return served.schema().exclude(operation_id="createToken")


@pytest.fixture
def with_tokens(served: Served) -> OpenApiSchema:
    """The API of a server that wants a token."""
    Tokens(Store(served.store).files).create("there is one", Scope.ADMIN)
    return served.schema()


few = settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
open_api = schemathesis.pytest.from_fixture("without_tokens")
closed_api = schemathesis.pytest.from_fixture("with_tokens")


@open_api.parametrize()
@few
def test_who_needs_no_token(case: schemathesis.Case) -> None:
    case.call_and_validate(timeout=60)


@closed_api.parametrize()
@few
def test_who_has_none(case: schemathesis.Case) -> None:
    answer = case.call_and_validate(timeout=60)
    assert answer.status_code in (401, 422) or case.operation.path == "/health"


@closed_api.parametrize()
@few
def test_who_may_read(case: schemathesis.Case, served: Served) -> None:
    case.call_and_validate(headers=_token(served, Scope.READ), timeout=60)


@closed_api.parametrize()
@few
def test_who_may_do_all(case: schemathesis.Case, served: Served) -> None:
    case.call_and_validate(headers=_token(served, Scope.ADMIN), timeout=60)


def _token(served: Served, scope: Scope) -> dict[str, str]:
    """Return a token that others may revoke: one for each request."""
    _, text = Tokens(Store(served.store).files).create("tester", scope)
    return {"Authorization": f"Bearer {text}"}
