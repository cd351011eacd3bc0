"""Whether the server is well."""

from __future__ import annotations

from fastapi import APIRouter

from modelkb_store._version import __version__
from modelkb_store.errors import StoreNotFoundError
from modelkb_viewer.api.documents import Health
from modelkb_viewer.opened_store import opened_store

router = APIRouter(tags=["service"])


@router.get("/health")
def read_health() -> Health:
    """Return whether the store can be read."""
    try:
        opened_store()
    except StoreNotFoundError:
        return Health(status="no store", version=__version__)
    return Health(status="ok", version=__version__)
