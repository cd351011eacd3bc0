"""Fixtures of the tests of the store."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def _no_power_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait for the disk, where it is not the disk that is tested."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
