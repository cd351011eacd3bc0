"""Query parameters that a route does not have: refused, as a mistyped one would change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, get_validation_alias
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts

# A request may have thousands, and names as long as it likes.
_MOST_NAMED = 10
_LONGEST_NAME = 80


def query_parameters(app: FastAPI) -> dict[Callable[..., Any], list[str]]:
    """Return the names of the query parameters of each endpoint, and of what it depends on."""
    return {
        route.endpoint: list(dict.fromkeys(_names(route.dependant)))
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and route.endpoint is not None
    }


async def check_query(request: Request) -> None:
    """Pass a request whose query parameters are all known to its route.

    They are looked up in ``app.state.query_parameters``; see :func:`query_parameters`.

    Raises:
        RequestValidationError: Some are not.
    """
    known = request.app.state.query_parameters[request.scope["endpoint"]]
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise RequestValidationError([_error(name, known) for name in unknown[:_MOST_NAMED]])


def _names(dependant: Dependant) -> Iterator[str]:
    # By themselves: fields of a model do not say that they are of the query.
    for field in get_flat_params(Dependant(query_params=dependant.query_params)):
        yield get_validation_alias(field)
    for each in dependant.dependencies:
        yield from _names(each)


def _error(name: str, known: list[str]) -> dict[str, Any]:
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    names = ", ".join(f"`{each}`" for each in known) or "none"
    short = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}.."
    text = f"There is no such parameter here.{hint} There are {names}."
    return {"type": "unknown_parameter", "loc": ("query", short), "msg": text}
