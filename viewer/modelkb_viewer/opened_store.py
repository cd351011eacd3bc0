"""The store that is shown and served, opened once for all who look."""

from __future__ import annotations

from modelkb_store import Store
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.damaged_files import DAMAGED_FILES

_opened: dict[str, Store] = {}


def opened_store() -> Store:
    """Return the store of ``$MODELKB_STORE``, else ``./modelkb``.

    Damaged files of tables are left out, and noted in :data:`DAMAGED_FILES`.

    Raises:
        StoreNotFoundError: There is none yet; it is looked for again the next time.
        ModelKBError: It cannot be opened.
    """
    location = resolve_store_location(None)
    if location not in _opened:
        _opened.setdefault(location, Store(location, on_damaged=DAMAGED_FILES.note))
    return _opened[location]


def store_if_open() -> Store | None:
    """Return the same if it was opened already, and so without waiting; else None."""
    return _opened.get(resolve_store_location(None))
