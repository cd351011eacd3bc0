"""Finding the place to write to for a store's address."""

from __future__ import annotations

import functools
import os

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import is_remote, local_folder
from modelkb_store.layout import create_store
from modelkb_store.log.log_home import LogHome, StoreHome
from modelkb_store.log.recovery import recover
from modelkb_store.transfer.spool import Spool, open_spool


def open_home(store: str | os.PathLike[str]) -> LogHome:
    """Make or open a store for writing, and finish what died processes have left in it.

    Args:
        store: The folder; or an address such as ``s3://bucket/folder`` or ``https://host:port``,
            which is written to by way of a spool on this machine, so that nothing waits for the
            network.

    Raises:
        ModelKBError: It is no store, or of a newer format.
        OSError: It cannot be made or written.
    """
    location = os.fspath(store)
    if is_remote(location):
        return _open_spool(location, os.getpid())
    files = LocalFiles(local_folder(location))
    create_store(files)
    recover(files)
    return StoreHome(files)


@functools.cache
def _open_spool(location: str, process_id: int) -> Spool:
    """Return the process' spool of a store: one sends for all."""
    return open_spool(location)
