"""Files as answers, whole or in ranges of bytes (RFC 9110)."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from modelkb_store.files.files import Files
from modelkb_viewer.api.problems import RefusedError, answers

HDF5 = "application/x-hdf5"
BYTES = "application/octet-stream"
_CONTENT: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
# For addresses that have a hash of the content: it never changes.
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
# For addresses of which the content may be another, and which also give it in another form.
ASKED_AGAIN = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
# Of several ranges all is sent, as RFC 9110 allows.
_ONE_RANGE = re.compile("bytes=([0-9]{0,18})-([0-9]{0,18})")
_BYTES_AT_ONCE = 1 << 20
_LONGEST_RANGE = 80  # as far as it is named


def described_file(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return the description of a file as an answer, for a route's ``responses``."""
    content = {media_type: _CONTENT}
    return {
        200: {"description": "The file.", "content": content},
        206: {"description": "The range of it that was asked for.", "content": content},
        **answers(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    }


class LocalFile(FileResponse):
    """A file on this machine as an answer, which refuses what is no range of it with a problem.

    Starlette's own does so in plain text, and leaves undone what comes after the answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            RefusedError: The range that is asked for is not in it, or is none.
        """

        async def checked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                raise self._refused(message["status"], Headers(scope=scope).get("range", ""))
            await send(message)

        try:
            await super().__call__(scope, receive, checked)
        except RefusedError:
            if self.background is not None:
                await self.background()
            raise

    def _refused(self, status: int, wanted: str) -> RefusedError:
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _not_in_file(wanted, int(self.headers["content-length"]))
        detail = f"{_shortened(wanted)} is no range of bytes, such as bytes=0-99."
        return RefusedError(HTTPStatus(status), detail)


def stored_file(
    request: Request,
    files: Files,
    path: str,
    name: str,
    media_type: str,
    *,
    headers: Mapping[str, str] = FOR_EVER,
) -> Response:
    """Return a file of the store that is named by its content.

    Of a file that is not on this machine no more is fetched than is asked for.

    Args:
        request: Says whether all of it is wanted, a range, or only whether it is there.
        files: The store.
        path: The file.
        name: Its name for those who save it.
        media_type: What it is.
        headers: Further headers: how long the answer may be kept.

    Raises:
        FileNotFoundError: It is not there.
        RefusedError: The range that is asked for is not in it.
    """
    tag = f'"{Path(path).stem}"'
    headers = {**headers, "ETag": tag}
    local = files.local_path(path)
    if local is not None:
        local.stat()
        return LocalFile(local, filename=name, media_type=media_type, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(name)}"
    headers["Accept-Ranges"] = "bytes"
    if request.method == "HEAD":
        if not files.exists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        # Without a length, which a whole answer of no bytes would have.
        return StreamingResponse(iter(()), media_type=media_type, headers=headers)
    source = files.open(path)
    try:
        size = source.seek(0, os.SEEK_END)
        is_same = request.headers.get("if-range", tag) == tag
        wanted = _range(request.headers.get("range", ""), size) if is_same else None
    except BaseException:
        source.close()
        raise
    start, stop = wanted or (0, size)
    headers["Content-Length"] = str(stop - start)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
    return StreamingResponse(_parts(source, start, stop), status, headers, media_type)


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Return where the part begins and ends that is asked for; None if all is.

    Raises:
        RefusedError: The file has no such part.
    """
    found = _ONE_RANGE.fullmatch(text.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not (first or last) or (first and last and int(last) < int(first)):
        return None
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    else:
        start, stop = max(size - int(last), 0), size
    if start >= size:
        raise _not_in_file(text.strip(), size)
    return start, stop


def _not_in_file(wanted: str, size: int) -> RefusedError:
    """Return what is answered where a file of some bytes has no such range."""
    detail = f"The file has {size:,} bytes, and none of the range {_shortened(wanted)}."
    headers = {"Content-Range": f"bytes */{size}"}
    return RefusedError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail, headers)


def _shortened(wanted: str) -> str:
    return wanted if len(wanted) <= _LONGEST_RANGE else f"{wanted[:_LONGEST_RANGE]}.."


def _parts(source: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    with source:
        source.seek(start)
        while start < stop:
            part = source.read(min(_BYTES_AT_ONCE, stop - start))
            if not part:
                raise EOFError(f"The file is shorter than it was: {start} of {stop} bytes")
            start += len(part)
            yield part


def made_file(make: Callable[[Path], object], name: str, media_type: str) -> LocalFile:
    """Return a file that is made for the answer, and deleted after it.

    Args:
        make: Writes it to a path, whose name is the one given.
        name: Its name.
        media_type: What it is.
    """
    folder = tempfile.mkdtemp(prefix="modelkb-")
    try:
        path = Path(folder) / name
        make(path)
        return LocalFile(
            path,
            filename=name,
            media_type=media_type,
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
