"""From what a user calls a store's place to its files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles

# Two letters at least: `C://` is a folder on Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def open_files(location: str | os.PathLike[str]) -> Files:
    """Return the files of the store at a place.

    Args:
        location: A folder, ``file:///folder``, ``s3://bucket/prefix``, ``gs://bucket/prefix``, or
            the address of a server, ``https://host:port``, whose files of content can be read.

            Options of a bucket, such as the address of a server of one's own, are in
            :func:`modelkb_store.files.bucket.bucket_files`.

    Raises:
        InvalidSettingError: The address is not understood.

    Example:
        >>> open_files("modelkb").uri
        'modelkb'
    """
    if is_server(location):
        from modelkb_store.server.connection import Connection
        from modelkb_store.server.server_files import ServerFiles

        return ServerFiles(Connection(os.fspath(location)))
    if is_remote(location):
        from modelkb_store.files.bucket import bucket_files

        return bucket_files(os.fspath(location))
    return LocalFiles(local_folder(location))


def is_remote(location: str | os.PathLike[str]) -> bool:
    """Return whether a place is reached over a network protocol rather than a file system."""
    scheme = _SCHEME.match(os.fspath(location))
    return scheme is not None and scheme[1].lower() != "file"


def is_server(location: str | os.PathLike[str]) -> bool:
    """Return whether a place is a server of ModelKB's, reached by its REST API."""
    scheme = _SCHEME.match(os.fspath(location))
    return scheme is not None and scheme[1].lower() in ("http", "https")


def local_folder(location: str | os.PathLike[str]) -> Path:
    """Return the folder that a local place names: ``~`` and ``file://`` are understood."""
    text = os.fspath(location)
    if text[:7].lower() == "file://":
        # Inside: it brings HTTP and TLS along, which folders do not need.
        from urllib.request import url2pathname

        parts = urlsplit(text)
        host = "" if parts.netloc in ("", "localhost") else f"//{parts.netloc}"
        return Path(url2pathname(host + parts.path))
    return Path(text).expanduser()
