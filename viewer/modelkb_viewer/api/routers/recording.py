"""``/logs/..``: what runs on other machines record, as it comes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from modelkb_store.log.log_name import LogName
from modelkb_store.log.receiving import end_received, receive, seal_received, show, tidy_received
from modelkb_store.project_names import project_folder
from modelkb_viewer.api.asked import WholeStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.belonging import check_log
from modelkb_viewer.api.body import BINARY, bytes_of
from modelkb_viewer.api.documents import FullSegment, LogEnd, ReceivedBytes
from modelkb_viewer.api.problems import answers

router = APIRouter(
    prefix="/logs",
    tags=["recording"],
    responses=answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)

_LARGEST_PIECE_BYTES = 64 << 20

LogId = Annotated[
    str,
    Path(
        description="The id of the experiment, for a further log with ten digits more.",
        pattern="^[0-9A-Za-z][0-9A-Za-z-]{0,99}$",
    ),
]
Number = Annotated[int, Path(description="The segment, from 0.", ge=0, le=9999)]
Project = Annotated[str, Query(description="The project that the experiment is of.")]


@router.put("/{log_id}/{number:int}", openapi_extra=BINARY)
async def receive_piece(  # noqa: PLR0917 - FastAPI passes all by name
    request: Request,
    store: WholeStore,
    log_id: LogId,
    number: Number,
    project: Project,
    offset: Annotated[int, Query(ge=0, description="Where in the segment the bytes begin.")],
    who: AskedBy,
    later: BackgroundTasks,
) -> ReceivedBytes:
    """Append to a log what is new of some bytes of it; the same bytes may come again.

    The lines are those of FORMAT.md, "Logs"; each is checked. The answer says how much of the
    segment is here: the next bytes are to begin there.
    """
    who.check_project(project)
    name = LogName(project_folder(project), log_id)
    await run_in_threadpool(check_log, store, name)
    piece = await bytes_of(request, _LARGEST_PIECE_BYTES)
    received = await run_in_threadpool(receive, store.files, name, number, offset, piece)
    if piece:
        later.add_task(show, store.files, name)
    return ReceivedBytes(received=received)


@router.post("/{log_id}/{number:int}/seal")
def seal_segment(  # noqa: PLR0917
    store: WholeStore,
    log_id: LogId,
    number: Number,
    project: Project,
    segment: FullSegment,
    who: AskedBy,
) -> ReceivedBytes:
    """Put a full segment into tables: the log goes on in the next one, which is here already."""
    who.check_project(project)
    name = LogName(project_folder(project), log_id)
    check_log(store, name)
    seal_received(store.files, name, number, segment.size)
    return ReceivedBytes(received=segment.size)


@router.post("/{log_id}/end")
def end_log(  # noqa: PLR0917
    store: WholeStore,
    log_id: LogId,
    project: Project,
    end: LogEnd,
    who: AskedBy,
    later: BackgroundTasks,
) -> ReceivedBytes:
    """Put a log into tables to which nothing will be added."""
    who.check_project(project)
    name = LogName(project_folder(project), log_id)
    check_log(store, name)
    end_received(store.files, name, end.sizes, end.modified)
    later.add_task(tidy_received, store.files, name.project_folder)
    return ReceivedBytes(received=sum(end.sizes.values()))
