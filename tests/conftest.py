"""Fixtures of all tests: a store of one's own and small data."""

from __future__ import annotations

import os
from pathlib import Path

# Before TensorFlow is imported anywhere: its start-up chatter, and a second CPU for the
# tests under a distribution strategy.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a default store out of the checkout, and the caller's settings out of the tests."""
    for name in ("MODELKB_STORE", "MODELKB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store that is not made yet."""
    return tmp_path / "modelkb"
