"""The API is as it describes itself, whatever it is asked, with each kind of token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from described_api import record_store
from modelkb_store import Store
from modelkb_viewer.tokens import Scope, Tokens
from store_server import StoreServer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestWarning")]

few = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# It never ends for an experiment that runs; and the server has no token as long as none is made.
WITHOUT = ["followExperiment"]


class Described:
    """A served API, and what it says of itself.

    Attributes:
        schema: For Schemathesis.
        headers: What is sent with every request.
    """

    def __init__(self, server: StoreServer, config: Any, token: str | None) -> None:
        address = f"{server.address}/api/v1/openapi.json"
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.schema = schemathesis.openapi.from_url(address, config=config)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StoreServer, Any]]:
    store = tmp_path_factory.mktemp("schema") / "modelkb"
    config = record_store(store)
    server = StoreServer(store)
    server.start()
    yield server, config
    server.stop()
