"""What a server does before anybody looks, so that the first reader does not wait for it."""

from __future__ import annotations

import contextlib
from importlib import import_module

from modelkb_store.errors import ModelKBError
from modelkb_viewer.opened_store import opened_store

_PAGES = "modelkb_viewer.pages.navigation"


def warm_up() -> None:
    """Import the pages, and read what all of them begin with: the list of experiments."""
    import_module(_PAGES)
    # Without a store, or with a damaged one, the pages say what to do.
    with contextlib.suppress(ModelKBError, OSError):
        opened_store().experiment_table()
