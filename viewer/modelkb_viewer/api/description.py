"""What the API says of itself: its OpenAPI description, made good for people and generators."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from modelkb_viewer.api.authentication import is_token_needed, scope_of
from modelkb_viewer.api.problems import answers
from modelkb_viewer.tokens import Scope

TAGS = [
    {"name": "projects", "description": "What experiments are held together by."},
    {"name": "experiments", "description": "Trainings: found, read, edited, deleted, followed."},
    {"name": "comparisons", "description": "What differs between experiments, what works best."},
    {"name": "artifacts", "description": "Architecture, checkpoints and files of an experiment."},
    {"name": "code", "description": "A training, or its model alone, as code."},
    {"name": "predictions", "description": "Recorded models as a service."},
    {"name": "queries", "description": "Rows of tables, and SQL, over all experiments."},
    {
        "name": "recording",
        "description": "Experiments recorded by hand; and how ModelKB's own client records.",
    },
    {"name": "objects", "description": "Files by their content, as ModelKB's own client moves."},
    {"name": "tokens", "description": "Who may read, write or govern the store."},
    {"name": "audit", "description": "Who has written what, and when."},
    {"name": "service", "description": "How the server is."},
]
_PARAMETERS = {"table": "The name of a table of FORMAT.md."}
_JSON = "application/json"
_SECURITY = "token"
_EXAMPLES = Path(__file__).with_name("examples.json")


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation in clients that are generated.

    Example:
        >>> operation_id(route_of("list_experiments"))
        'listExperiments'
    """
    first, *others = route.name.split("_")
    return first + "".join(map(str.capitalize, others))


def describe(app: FastAPI) -> None:
    """Have an application describe each operation: summary, scope, examples, invalid bodies.

    The description says that a token is needed where the server wants one, and else that none is.
    Every operation has the scope that it needs as ``x-scope``.
    """
    plain = app.openapi

    @functools.cache
    def described() -> dict[str, Any]:
        description = plain()
        scopes = dict(scopes_of(app))
        for path, method, operation in operations_of(description):
            _complete(operation, scopes[path, method])
        return description

    def description() -> dict[str, Any]:
        known = described()
        return known if is_token_needed() else _without_need(known)

    app.openapi = description  # type: ignore[method-assign]


def scopes_of(app: FastAPI) -> Iterator[tuple[tuple[str, str], Scope | None]]:
    """Yield each operation's path and method, in small letters, with the scope that it needs."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            found = [scope for scope in map(scope_of, _calls(route.dependant)) if scope is not None]
            needed = max(found, key=list(Scope).index, default=None)
            for method in route.methods or ():
                yield (str(route.path_format), method.lower()), needed


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def operations_of(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of each operation of a description."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(operation: dict[str, Any], scope: Scope | None) -> None:
    operation["summary"] = _in_words(operation["operationId"])
    if scope is not None:
        operation["x-scope"] = scope.value
        operation["security"] = [{_SECURITY: [scope.value]}]
        needed = f"Needs a token with the scope `{scope.value}`, where the server has tokens."
        operation["description"] = f"{operation.get('description', '')}\n\n{needed}".strip()
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in _PARAMETERS:
            parameter.setdefault("description", _PARAMETERS[parameter["name"]])
    if "requestBody" in operation:  # it may be no JSON, or not end
        status = HTTPStatus.BAD_REQUEST
        operation["responses"].setdefault(str(status.value), answers(status)[status.value])
    _add_examples(operation)


def _in_words(name: str) -> str:
    """Return the name of an operation as people would say it.

    Example:
        >>> _in_words("listExperiments")
        'List experiments'
    """
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.capitalize().replace(" sql", " SQL")


def _add_examples(operation: dict[str, Any]) -> None:
    known = _examples().get(operation["operationId"], {})
    bodies = {"request": operation.get("requestBody")}
    for status in ("200", "201"):
        bodies.setdefault("response", operation["responses"].get(status))
    for name, body in bodies.items():
        if name in known and body is not None and _JSON in body.get("content", {}):
            body["content"][_JSON]["example"] = known[name]


@functools.cache
def _examples() -> dict[str, dict[str, Any]]:
    """Return examples of requests and answers, by the name of the operation."""
    found: dict[str, dict[str, Any]] = json.loads(_EXAMPLES.read_text(encoding="utf-8"))
    return found


def _without_need(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description that says that a token can be given, and none has to be."""
    paths: dict[str, Any] = {}
    for path, method, operation in operations_of(description):
        if "security" in operation:
            operation = {**operation, "security": [*operation["security"], {}]}  # noqa: PLW2901
        paths.setdefault(path, {})[method] = operation
    return {**description, "paths": paths}
