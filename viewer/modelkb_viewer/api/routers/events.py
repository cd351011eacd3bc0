"""``/experiments/{experiment_id}/events``: a running experiment, followed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Collection
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_store.records import Status
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.authentication import AskedBy, is_still_valid
from modelkb_viewer.api.problems import answers
from modelkb_viewer.json_values import plain

_SECONDS_BETWEEN_LOOKS = 0.5
_Key = tuple[Any, ...]

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.get("/events", response_class=EventSourceResponse)
async def follow_experiment(
    store: AskedStore,
    experiment: AskedExperiment,
    who: AskedBy,
    last_event_id: Annotated[
        str, Header(max_length=100, description="The id of the last `metrics` that came.")
    ] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Send what a running experiment records, until it ends or the token is revoked.

    Events: `metrics` with new rows; `status` with status and epochs; `restart` where rows that were
    sent are no longer there, since a run went on from an earlier epoch: all are sent anew. Who
    comes again with the id of the last `metrics` gets what is new, or a `restart`.
    """
    known: dict[_Key, None] | None = None
    status = None
    while await run_in_threadpool(is_still_valid, store, who):
        now, rows = await run_in_threadpool(_look, store, experiment.id)
        keys = {_key_of(row): row for row in rows}
        if known is None:
            known = _known_to(last_event_id, list(keys))
        if known is None or not known.keys() <= keys.keys():
            known = {}
            yield ServerSentEvent(event="restart", data={})
        new = [row for key, row in keys.items() if key not in known]
        if new:
            known = dict.fromkeys(keys)
            yield ServerSentEvent(event="metrics", data=new, id=_id_of(keys))
        if now != status:
            yield ServerSentEvent(event="status", data=now)
            status = now
        if now["status"] != Status.RUNNING.value:
            return
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _key_of(row: dict[str, Any]) -> _Key:
    """Return what tells a row from others; one that is recorded anew has another time."""
    return tuple(row[name] for name in ("split", "metric", "epoch", "step", "wall_time"))


def _id_of(keys: Collection[_Key]) -> str:
    """Return how many rows somebody knows, and a sign of which these are."""
    return f"{len(keys)}-{zlib.crc32(repr(sorted(map(repr, keys))).encode()):08x}"


def _known_to(event_id: str, keys: list[_Key]) -> dict[_Key, None] | None:
    """Return the rows that somebody knows who has got an id last; None if that cannot be told."""
    count = event_id.partition("-")[0]
    known = keys[: int(count)] if count.isascii() and count.isdigit() else []
    return dict.fromkeys(known) if not event_id or event_id == _id_of(known) else None


def _look(store: Store, experiment_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    experiment = store.experiment(experiment_id)
    record = experiment.record
    now = {
        "status": record.status,
        "epochs_completed": record.epochs_completed,
        "epochs_planned": record.epochs_planned,
    }
    return now, plain(experiment.table("metrics").to_pylist())
