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


def architecture_address(architecture_id: str) -> str:
    """Return the address of an architecture's HDF5 file, from the root of the viewer."""
    return f"{_PATH}/{architecture_id}.h5"


def architecture_route() -> BaseRoute:
    """Return the route of architecture files."""
    return Route(f"/{_PATH}/{{architecture_id}}.h5", _answer)


async def _answer(request: Request) -> Response:
    architecture_id = request.path_params["architecture_id"]
    if not _ID.fullmatch(architecture_id):
        return PlainTextResponse("This is no id of an architecture.", 404)
    try:
        content = await run_in_threadpool(_read, architecture_id)
    except FileNotFoundError:
        return PlainTextResponse("The store has no such architecture.", 404)
    except (ModelKBError, OSError) as error:
        return PlainTextResponse(str(error), 503)
    # Its content is what it is named by, so it never changes.
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(content, media_type="application/x-hdf5", headers=headers)


def _read(architecture_id: str) -> bytes:
    return bytes(open_files(resolve_store_location(None)).read(architecture_file(architecture_id)))
