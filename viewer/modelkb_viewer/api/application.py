"""The REST API as an application: served beside the pages, and by itself."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from modelkb_store._version import __version__
from modelkb_viewer.addresses import API_PATH
from modelkb_viewer.api.audit import Audit
from modelkb_viewer.api.authentication import needs
from modelkb_viewer.api.body import Bodies
from modelkb_viewer.api.description import TAGS, describe, operation_id
from modelkb_viewer.api.heavy import IN_ITS_PLACE, heavy_places, light_places, sending_places
from modelkb_viewer.api.limits import Limits
from modelkb_viewer.api.measurements import Measurements
from modelkb_viewer.api.problems import answers, describe_problems
from modelkb_viewer.api.query_parameters import check_query, query_parameters
from modelkb_viewer.api.routers import (
    artifacts,
    audit,
    codes,
    comparisons,
    events,
    experiment_parts,
    experiments,
    hand_recording,
    imports,
    objects,
    predictions,
    projects,
    queries,
    recording,
    relations,
    selections,
    service,
    tokens,
)
from modelkb_viewer.api.settings import settings
from modelkb_viewer.api.unknown_paths import explain_unknown_paths
from modelkb_viewer.tokens import Scope

PATH = API_PATH
# What a token needs at least; single routes need more.
_ROUTERS = (
    (projects.router, Scope.READ),
    (selections.router, Scope.READ),
    (experiments.router, Scope.READ),
    (hand_recording.router, Scope.WRITE),
    (experiment_parts.router, Scope.READ),
    (relations.router, Scope.READ),
    (comparisons.router, Scope.READ),
    (codes.router, Scope.READ),
    (artifacts.router, Scope.READ),
    (events.router, Scope.READ),
    (predictions.router, Scope.READ),
    (objects.router, Scope.READ),
    (queries.router, Scope.READ),
    (recording.router, Scope.WRITE),
    (imports.router, Scope.WRITE),
    (tokens.router, Scope.ADMIN),
    (audit.router, Scope.ADMIN),
)
# What any route may answer that asks who asks.
_REFUSALS = answers(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_ABOUT = """\
Keras experiments, as ModelKB has recorded them.

Rows of tables come as JSON, or as Arrow (`Accept: application/vnd.apache.arrow.stream`) or Parquet
(`Accept: application/vnd.apache.parquet`). What cannot be answered is explained by problem details
(RFC 9457). A query parameter that an operation does not have is refused.
"""


def make_api() -> FastAPI:
    """Return the API of the store of ``$MODELKB_STORE``, else ``./modelkb``.

    Its documentation, at ``/docs``, loads nothing from elsewhere.

    Raises:
        InvalidSettingError: An environment variable that bounds it is no number.
    """
    chosen = settings()
    app = FastAPIOffline(
        title="ModelKB",
        version=__version__,
        description=_ABOUT,
        openapi_tags=TAGS,
        generate_unique_id_function=operation_id,
    )
    app.state.making_places = [*heavy_places(), *light_places()]
    app.state.sending_places = sending_places()
    # The last one sees a request first.
    app.add_middleware(Audit)
    app.add_middleware(Bodies)
    app.add_middleware(Limits, settings=chosen)
    app.add_middleware(Measurements)
    describe_problems(app)
    explain_unknown_paths(app)
    # Those who look whether it is there may add parameters, so that nothing kept is answered.
    app.include_router(service.router)
    for router, scope in _ROUTERS:
        needed = [Depends(needs(scope)), Depends(check_query), *IN_ITS_PLACE]
        app.include_router(router, dependencies=needed, responses=_REFUSALS)
    app.state.query_parameters = query_parameters(app)
    describe(app)
    return app
