"""Files as answers, whole or in ranges of bytes (RFC 9110)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from modelkb_store.files.files import Files

HDF5 = "application/x-hdf5"
BYTES = "application/octet-stream"
_CONTENT: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
# What a hash names never changes.
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def described_file(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return the description of a file as an answer, for a route's ``responses``."""
    content = {media_type: _CONTENT}
    return {
        200: {"description": "The file.", "content": content},
        206: {"description": "The range of it that was asked for.", "content": content},
    }


def stored_file(files: Files, path: str, name: str, media_type: str) -> FileResponse:
    """Return a file of the store that is named by its content.

    Raises:
        FileNotFoundError: It is not there.
    """
    local = files.local_path(path)
    headers = {**_FOR_EVER, "ETag": f'"{Path(path).stem}"'}
    if local is not None:
        local.stat()
        return FileResponse(local, filename=name, media_type=media_type, headers=headers)

    def copy(target: Path) -> None:
        with files.open(path) as source, target.open("wb") as copied:
            shutil.copyfileobj(source, copied)

    return made_file(copy, name, media_type, headers)


def made_file(
    make: Callable[[Path], object],
    name: str,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> FileResponse:
    """Return a file that is made for the answer, and deleted after it.

    Args:
        make: Writes it to a path, whose name is the one given.
        name: Its name.
        media_type: What it is.
        headers: Further headers.
    """
    folder = tempfile.mkdtemp(prefix="modelkb-")
    try:
        path = Path(folder) / name
        make(path)
        return FileResponse(
            path,
            filename=name,
            media_type=media_type,
            headers=dict(headers or {}),
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
