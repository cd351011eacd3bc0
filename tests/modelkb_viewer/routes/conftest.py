"""Fixtures for what is served beside the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import STORE_VARIABLE, create_store
from modelkb_viewer.tokens import Tokens


@pytest.fixture
def tokens(store: Path, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    """The tokens of the store that is shown; there are none yet."""
    files = LocalFiles(store)
    create_store(files)
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    return Tokens(files)
