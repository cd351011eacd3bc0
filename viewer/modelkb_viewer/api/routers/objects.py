"""``/objects/..``: files of content, by the paths that rows of tables give."""

from __future__ import annotations

import errno
import os
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.file_answer import BYTES, described_file, stored_file
from modelkb_viewer.api.problems import RefusedError, answers

# What lies here is named by a hash of its content: who can name it knows of it.
PATTERN = r"^(architectures|packs|files|weights)/[0-9A-Za-z_./-]{1,200}$"
ObjectPath = Annotated[
    str,
    Path(description="Kind, two digits and name, as in the rows of tables.", pattern=PATTERN),
]

router = APIRouter(prefix="/objects", tags=["objects"], responses=answers(HTTPStatus.NOT_FOUND))


@router.get("/{path:path}", response_model=None, responses=described_file(BYTES))
@router.head("/{path:path}", response_model=None, include_in_schema=False)
def read_object(store: AskedStore, path: ObjectPath) -> Response:
    """Return a file of content: an architecture, a pack of variables, or a file that was kept."""
    whole = f"objects/{path}"
    try:
        return stored_file(store.files, whole, os.path.basename(path), BYTES)
    except FileNotFoundError as error:
        raise missing(whole) from error


def missing(path: str) -> RefusedError:
    """Return what is answered where a file is not there."""
    return RefusedError(HTTPStatus.NOT_FOUND, f"{os.strerror(errno.ENOENT)}: {path}")
