"""Fixtures of the tests of commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store


@pytest.fixture
def store_files(store: Path) -> LocalFiles:
    """The files of an empty store."""
    files = LocalFiles(store)
    create_store(files)
    return files
