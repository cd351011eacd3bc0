"""How the server is: for those who look after it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse

from modelkb_store._version import __version__
from modelkb_store.errors import StoreNotFoundError
from modelkb_viewer.api.authentication import needs
from modelkb_viewer.api.documents import Health
from modelkb_viewer.api.measurements import measurements_answer
from modelkb_viewer.api.problems import answers
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.tokens import Scope

router = APIRouter(tags=["service"])


@router.get("/health")
def read_health() -> Health:
    """Return whether the store can be read."""
    try:
        opened_store()
    except StoreNotFoundError:
        return Health(status="no store", version=__version__)
    return Health(status="ok", version=__version__)


@router.get(
    "/prometheus",
    response_class=PlainTextResponse,
    dependencies=[Depends(needs(Scope.READ))],
    responses=answers(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)
def read_measurements() -> Response:
    """Return what the server has answered, and how soon, in Prometheus' text format.

    Prometheus sends a token with `authorization: {credentials: TOKEN}` in its scrape config.
    """
    return measurements_answer()
