"""What the API answers when it cannot do what was asked: problem details (RFC 9457)."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from modelkb_store.errors import (
    AmbiguousIdError,
    ArtifactNotFoundError,
    CodeGenerationError,
    CollectedExperimentError,
    ExperimentNotFoundError,
    InvalidLogError,
    InvalidNameError,
    InvalidObjectError,
    InvalidSettingError,
    MissingPackageError,
    ModelKBError,
    ModelLoadError,
    NotOverServerError,
    PathOutsideStoreError,
    QueryError,
    RunningExperimentError,
    SqlError,
    SqlTimeoutError,
    StoreBusyError,
    StoreNotFoundError,
    StoreNotWritableError,
    StoreUnreachableError,
)
from modelkb_store.server.problems import facts_of, problem_type
from modelkb_viewer.prediction.errors import (
    BackendMissingError,
    InputError,
    PredictionError,
    PredictionProcessError,
    PredictionTimeoutError,
    RecordedCodeError,
)
from modelkb_viewer.tokens import TokenNotFoundError

MEDIA_TYPE = "application/problem+json"
# The first that an error is an instance of; every other of ours is about the store's files.
_STATUSES: tuple[tuple[type[ModelKBError], HTTPStatus], ...] = (
    (StoreNotFoundError, HTTPStatus.NOT_FOUND),
    (ExperimentNotFoundError, HTTPStatus.NOT_FOUND),
    (ArtifactNotFoundError, HTTPStatus.NOT_FOUND),
    (TokenNotFoundError, HTTPStatus.NOT_FOUND),
    (AmbiguousIdError, HTTPStatus.CONFLICT),
    (RunningExperimentError, HTTPStatus.CONFLICT),
    (CollectedExperimentError, HTTPStatus.GONE),
    (QueryError, HTTPStatus.BAD_REQUEST),
    (SqlError, HTTPStatus.BAD_REQUEST),
    (SqlTimeoutError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PathOutsideStoreError, HTTPStatus.NOT_FOUND),
    (InvalidNameError, HTTPStatus.BAD_REQUEST),
    (InvalidSettingError, HTTPStatus.BAD_REQUEST),
    (InputError, HTTPStatus.BAD_REQUEST),
    (RecordedCodeError, HTTPStatus.FORBIDDEN),
    (BackendMissingError, HTTPStatus.NOT_IMPLEMENTED),
    (PredictionTimeoutError, HTTPStatus.SERVICE_UNAVAILABLE),
    (PredictionProcessError, HTTPStatus.SERVICE_UNAVAILABLE),
    (PredictionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InvalidLogError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InvalidObjectError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CodeGenerationError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ModelLoadError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MissingPackageError, HTTPStatus.NOT_IMPLEMENTED),
    (NotOverServerError, HTTPStatus.NOT_IMPLEMENTED),
    (StoreNotWritableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreBusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreUnreachableError, HTTPStatus.SERVICE_UNAVAILABLE),
)

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REFERENCES = "#/components/schemas/{model}"
_log = logging.getLogger(__name__)


class InvalidPart(BaseModel):
    """One part of a request that is not as it must be."""

    location: str = Field(description="Where it is, such as `query.limit`.")
    problem: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not answered as asked (RFC 9457)."""

    type: str = Field(default="about:blank", description="The kind of problem.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status of the answer.", ge=400, le=599)
    detail: str = Field(description="What happened, and what to do.")
    facts: dict[str, str | int] | None = Field(
        default=None, description="What the problem is about, such as the `position` in a query."
    )
    errors: list[InvalidPart] | None = Field(
        default=None, description="The invalid parts of the request, where it was invalid."
    )


class RefusedError(HTTPException):
    """A request that is refused by a rule of the API.

    Args:
        status: The status of the answer.
        detail: What is wrong, and what to do.
        headers: Further headers of the answer.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status.value, detail, headers)


def refusal(error: RefusedError) -> JSONResponse:
    """Return the answer that a refusal is, for what is before the routes."""
    return _answer(HTTPStatus(error.status_code), error.detail, headers=error.headers)


def answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the description of refusals, for the ``responses`` of a route.

    Args:
        statuses: Those that the route answers beside the ones that every route may answer.
    """
    described: dict[str, Any] = {
        MEDIA_TYPE: {"schema": {"$ref": _REFERENCES.format(model="Problem")}}
    }
    return {
        status.value: {"description": status.phrase, "content": described} for status in statuses
    }


def describe_problems(app: FastAPI) -> None:
    """Have an application answer every error as a problem, and its description say so."""
    plain_description = app.openapi

    def description() -> dict[str, Any]:
        described = plain_description()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        if Problem.__name__ not in schemas:
            problem = Problem.model_json_schema(ref_template=_REFERENCES)
            schemas.update(problem.pop("$defs"))
            schemas[Problem.__name__] = problem
        return described

    app.openapi = description  # type: ignore[method-assign]
    app.add_exception_handler(ModelKBError, _of_store)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(OSError, _of_disk)
    app.add_exception_handler(Exception, _of_defect)


def status_of(error: ModelKBError) -> HTTPStatus:
    """Return the status that goes with an error of the store."""
    return next(
        (status for kind, status in _STATUSES if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _of_store(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ModelKBError)
    status = status_of(error)
    busy = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return _answer(status, str(error), headers=busy, error=error)


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    invalid = [
        InvalidPart(location=".".join(map(str, each["loc"])), problem=str(each["msg"]))
        for each in error.errors()
    ]
    first = invalid[0] if invalid else None
    detail = f"{first.location}: {first.problem}" if first else "The request is not valid."
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, invalid)


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return _answer(status, str(error.detail), headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return what can be done at a path: the framework names the methods of one route only."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _of_disk(request: Request, error: Exception) -> JSONResponse:
    """Answer that it can be tried again where the disk is full or cannot be written to."""
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        reason = os.strerror(error.errno or 0)
        return _of_store(request, StoreNotWritableError("of this server", reason))
    return _of_defect(request, error)


def _of_defect(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s could not be answered", request.method, request.url.path, exc_info=error)
    detail = "ModelKB could not answer this. What happened is in the log of the server."
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def _answer(
    status: HTTPStatus,
    detail: str,
    invalid: list[InvalidPart] | None = None,
    headers: Mapping[str, str] | None = None,
    error: ModelKBError | None = None,
) -> JSONResponse:
    problem = Problem(title=status.phrase, status=status.value, detail=detail, errors=invalid)
    if error is not None:
        problem.type, problem.facts = problem_type(type(error)), facts_of(error) or None
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status.value,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )
