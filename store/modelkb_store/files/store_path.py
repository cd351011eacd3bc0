"""Paths inside a store: one form for file systems and object stores."""

from __future__ import annotations

from modelkb_store.errors import PathOutsideStoreError


def parts_of(path: str, uri: str) -> tuple[str, ...]:
    """Return the names that a path of a store is made of: the only guard of its borders.

    Args:
        path: From the store's folder, with ``/``; "" for that folder. It may come from a file
            that somebody else wrote.
        uri: The store, for the message.

    Raises:
        PathOutsideStoreError: It would lead out of the store, on this or another system.
    """
    # A drive letter in the middle begins anew on Windows, as does a backslash.
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if (
        path.startswith("/")
        or "\\" in path
        or "\0" in path
        or any(part == ".." or part[1:2] == ":" for part in parts)
    ):
        raise PathOutsideStoreError(path, uri)
    return parts
