"""``/objects/..``: files of content, by the paths that rows of tables give."""

from __future__ import annotations

import errno
import os
import tempfile
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_store.files.files import Files
from modelkb_store.layout import OBJECT_PATTERN
from modelkb_store.object_check import check_object
from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy, needs
from modelkb_viewer.api.body import BINARY, save_body
from modelkb_viewer.api.file_answer import BYTES, described_file, stored_file
from modelkb_viewer.api.problems import RefusedError, answers
from modelkb_viewer.tokens import Scope

# What lies here is named by a hash of its content: who can name it knows of it.
PATTERN = f"^{OBJECT_PATTERN}$"
_LARGEST_BYTES = 16 << 30
ObjectPath = Annotated[
    str,
    Path(description="Kind, two digits and name, as in the rows of tables.", pattern=PATTERN),
]

router = APIRouter(prefix="/objects", tags=["objects"], responses=answers(HTTPStatus.NOT_FOUND))


@router.get("/{path:path}", response_model=None, responses=described_file(BYTES))
@router.head("/{path:path}", response_model=None, include_in_schema=False)
def read_object(request: Request, store: AskedStore, path: ObjectPath, who: AskedBy) -> Response:
    """Return a file of content: an architecture, a pack of variables, or a file that was kept."""
    whole = f"objects/{path}"
    if who.project is not None and not _is_of_project(store, who.project, whole):
        raise missing(whole)
    try:
        return stored_file(request, store.files, whole, os.path.basename(path), BYTES)
    except FileNotFoundError as error:
        raise missing(whole) from error


@router.put(
    "/{path:path}",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=BINARY,
    responses=answers(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    dependencies=[Depends(needs(Scope.WRITE))],
)
async def keep_object(request: Request, store: AskedStore, path: ObjectPath) -> Response:
    """Keep a file of content. It is checked: its name says what is in it."""
    whole = f"objects/{path}"
    local = store.files.local_path("")
    # On the store's own disk, so that it is renamed and not copied.
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=local) as folder:
        received = FilePath(folder) / FilePath(path).name
        await save_body(request, received, _LARGEST_BYTES)
        await run_in_threadpool(check_object, whole, received)
        await run_in_threadpool(_keep, store.files, whole, received)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _keep(files: Files, path: str, received: FilePath) -> None:
    # The id of an architecture is not that of all that is in its file: the first one stays.
    if path.startswith("objects/architectures/") and files.exists(path):
        local = files.local_path(path)
        if local is not None:
            os.utime(local)  # young again for those who collect what nobody refers to
        return
    files.write_file(path, received)


def _is_of_project(store: Store, project: str, path: str) -> bool:
    """Return whether a row of a project refers to a file."""
    kind, _, name = path.split("/")[1:]
    table, column, value = {
        "architectures": ("experiments", "architecture_id", FilePath(name).stem),
        "packs": ("variables", "pack_path", path),
    }.get(kind, ("artifacts", "path", path))
    rows = store.table(table, project, [column], where={column: [value]})
    return len(rows) > 0


def missing(path: str) -> RefusedError:
    """Return what is answered where a file is not there."""
    return RefusedError(HTTPStatus.NOT_FOUND, f"{os.strerror(errno.ENOENT)}: {path}")
