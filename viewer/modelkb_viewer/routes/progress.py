"""How far an experiment has come, for open pages that follow it."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from modelkb_store import ExperimentNotFoundError
from modelkb_store.errors import ModelKBError
from modelkb_store.experiment_ids import EXPERIMENT_ID
from modelkb_viewer.content.experiment_progress import experiment_progress
from modelkb_viewer.opened_store import opened_store

_PATH = "progress"
_ID = re.compile(EXPERIMENT_ID)
_NOT_KEPT = {"Cache-Control": "no-store"}


def progress_address(experiment_id: str) -> str:
    """Return the address of an experiment's progress, from the root of the viewer."""
    return f"{_PATH}/{experiment_id}"


def progress_route() -> BaseRoute:
    """Return the route of the progress of experiments, below any base path."""
    return Route(f"/{{base:path}}{_PATH}/{{experiment_id}}", _answer)


async def _answer(request: Request) -> Response:
    experiment_id = request.path_params["experiment_id"]
    if not _ID.fullmatch(experiment_id):
        return _text("This is no id of an experiment.", 404)
    try:
        return _text(await run_in_threadpool(_progress_of, experiment_id))
    except ExperimentNotFoundError as error:
        return _text(str(error), 404)
    except (ModelKBError, OSError) as error:
        return _text(str(error), 503)


def _progress_of(experiment_id: str) -> str:
    return experiment_progress(opened_store(), experiment_id)


def _text(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status, headers=_NOT_KEPT)
