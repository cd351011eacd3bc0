"""``/experiments/{experiment_id}/events``: a running experiment, followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_store.records import Status
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.problems import answers
from modelkb_viewer.json_values import plain

_SECONDS_BETWEEN_LOOKS = 0.5

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.get("/events", response_class=EventSourceResponse)
async def follow_experiment(
    store: AskedStore,
    experiment: AskedExperiment,
    last_event_id: Annotated[
        int, Header(ge=0, description="How many rows of metrics are known already.")
    ] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Send what a running experiment records, until it ends.

    Events: `metrics` with new rows, whose id is how many there are; `status` with status and
    epochs; `restart` where a run went on from an earlier epoch, and its rows are sent anew.
    """
    known, status = last_event_id, None
    while True:
        now, rows = await run_in_threadpool(_look, store, experiment.id)
        if len(rows) < known:
            known = 0
            yield ServerSentEvent(event="restart", data={})
        if len(rows) > known:
            yield ServerSentEvent(event="metrics", data=rows[known:], id=str(len(rows)))
            known = len(rows)
        if now != status:
            yield ServerSentEvent(event="status", data=now)
            status = now
        if now["status"] != Status.RUNNING.value:
            return
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _look(store: Store, experiment_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    experiment = store.experiment(experiment_id)
    record = experiment.record
    now = {
        "status": record.status,
        "epochs_completed": record.epochs_completed,
        "epochs_planned": record.epochs_planned,
    }
    return now, plain(experiment.table("metrics").to_pylist())
