"""Fixtures for the REST API: a store with one complete experiment, and somebody who asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.api.application import make_api
from modelkb_viewer.tokens import Scope, Tokens
from small_experiment import record_complete_experiment

Ask = Callable[..., TestClient]


@pytest.fixture
def experiment_id(store: Path) -> str:
    """The experiment of the store."""
    return record_complete_experiment(store).experiment.experiment_id


@pytest.fixture
def ask(store: Path, experiment_id: str, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Asks the API of the store, without a token."""
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    return TestClient(make_api(), raise_server_exceptions=False)


@pytest.fixture
def ask_as(ask: TestClient, store: Path) -> Ask:
    """Asks with a token that is made for it."""

    def with_token(scope: Scope, project: str | None = None) -> TestClient:
        _, text = Tokens(Store(store).files).create(scope.value, scope, project)
        client = TestClient(make_api(), raise_server_exceptions=False)
        client.headers["Authorization"] = f"Bearer {text}"
        return client

    return with_token
