"""The REST API as an application: served beside the pages, and by itself."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from modelkb_store._version import __version__
from modelkb_viewer.addresses import API_PATH
from modelkb_viewer.api.authentication import needs
from modelkb_viewer.api.measurements import Measurements
from modelkb_viewer.api.problems import answers, describe_problems
from modelkb_viewer.api.routers import (
    artifacts,
    events,
    experiment_parts,
    experiments,
    imports,
    objects,
    predictions,
    projects,
    queries,
    recording,
    selections,
    service,
    tokens,
)
from modelkb_viewer.tokens import Scope

PATH = API_PATH
# What a token needs at least; single routes need more.
_ROUTERS = (
    (projects.router, Scope.READ),
    (selections.router, Scope.READ),
    (experiments.router, Scope.READ),
    (experiment_parts.router, Scope.READ),
    (artifacts.router, Scope.READ),
    (events.router, Scope.READ),
    (predictions.router, Scope.READ),
    (objects.router, Scope.READ),
    (queries.router, Scope.READ),
    (recording.router, Scope.WRITE),
    (imports.router, Scope.WRITE),
    (tokens.router, Scope.ADMIN),
)
_REFUSALS = answers(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
_MOST_BYTES = 64 << 20  # of a request; what is larger comes in pieces
_ABOUT = """\
Keras experiments, as ModelKB has recorded them.

Rows of tables come as JSON, or as Arrow (`Accept: application/vnd.apache.arrow.stream`) or Parquet
(`Accept: application/vnd.apache.parquet`). What cannot be answered is explained by problem details
(RFC 9457).
"""


def make_api() -> FastAPI:
    """Return the API of the store of ``$MODELKB_STORE``, else ``./modelkb``.

    Its documentation, at ``/docs``, loads nothing from elsewhere.
    """
    app = FastAPIOffline(
        title="ModelKB", version=__version__, description=_ABOUT, max_body_size=_MOST_BYTES
    )
    app.add_middleware(Measurements)
    describe_problems(app)
    app.include_router(service.router)
    for router, scope in _ROUTERS:
        app.include_router(router, dependencies=[Depends(needs(scope))], responses=_REFUSALS)
    return app
