"""The REST API as an application: served beside the pages, and by itself."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from modelkb_store._version import __version__
from modelkb_viewer.api.problems import describe_problems
from modelkb_viewer.api.routers import (
    artifacts,
    experiment_parts,
    experiments,
    projects,
    queries,
    service,
)

PATH = "/api/v1"
_ROUTERS = (
    projects.router,
    experiments.router,
    experiment_parts.router,
    artifacts.router,
    queries.router,
    service.router,
)
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
    app = FastAPIOffline(title="ModelKB", version=__version__, description=_ABOUT)
    describe_problems(app)
    for router in _ROUTERS:
        app.include_router(router)
    return app
