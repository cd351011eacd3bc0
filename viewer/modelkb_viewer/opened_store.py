"""The store that is shown and served, opened once for all who look."""

from __future__ import annotations

import functools

from modelkb_store import Store
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.damaged_files import DAMAGED_FILES


def opened_store() -> Store:
    """Return the store of ``$MODELKB_STORE``, else ``./modelkb``.

    Damaged files of tables are left out, and noted in :data:`DAMAGED_FILES`.

    Raises:
        StoreNotFoundError: There is none yet; it is looked for again the next time.
        ModelKBError: It cannot be opened.
    """
    return _open(resolve_store_location(None))


@functools.cache
def _open(location: str) -> Store:
    return Store(location, on_damaged=DAMAGED_FILES.note)
