"""The architecture files of the store, for Netron."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from modelkb_store.errors import ModelKBError
from modelkb_store.files.open_files import open_files
from modelkb_store.layout import architecture_file, resolve_store_location

_PATH = "architectures"
_ID = re.compile(r"[0-9a-f]{16,64}")
# A configuration without weights; the largest of Keras' own models take less than one.
_MOST_BYTES = 64 * 2**20
# Its content is what it is named by, so it never changes.
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_NOT_KEPT = {"Cache-Control": "no-store"}


def architecture_address(architecture_id: str) -> str:
    """Return the address of an architecture's HDF5 file, from the root of the viewer."""
    return f"{_PATH}/{architecture_id}.h5"


def architecture_route() -> BaseRoute:
    """Return the route of architecture files, below any base path."""
    return Route(f"/{{base:path}}{_PATH}/{{architecture_id}}.h5", _answer)


async def _answer(request: Request) -> Response:
    architecture_id = request.path_params["architecture_id"]
    if not _ID.fullmatch(architecture_id):
        return _refusal("This is no id of an architecture.", 404)
    try:
        content = await run_in_threadpool(_read, architecture_id)
    except FileNotFoundError:
        return _refusal("The store has no such architecture.", 404)
    except (ModelKBError, OSError) as error:
        return _refusal(str(error), 503)
    if len(content) > _MOST_BYTES:
        return _refusal("The architecture is too large to be drawn.", 413)
    return Response(content, media_type="application/x-hdf5", headers=_FOR_EVER)


def _refusal(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, headers=_NOT_KEPT)


def _read(architecture_id: str) -> bytes:
    """Return a file's content, of one that is too large no more than shows it."""
    files = open_files(resolve_store_location(None))
    with files.open(architecture_file(architecture_id)) as file:
        return file.read(_MOST_BYTES + 1)
