"""Paths that the API does not have: which one may be meant, and where all are described."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from modelkb_viewer.api.problems import RefusedError

_DOCUMENTATION = "/docs"
_LEAST_LIKENESS = 0.7
# Longer ones are not compared, and cut off where they are named.
_LONGEST_PATH = 400


def explain_unknown_paths(app: FastAPI) -> None:
    """Have an application say of a path that it does not have which one may be meant."""
    plain = app.router.default

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await plain(scope, receive, send)
            return
        known = (route.path_format for route in iter_route_contexts(app.routes))
        detail = _detail(scope, [path for path in known if path is not None])
        raise RefusedError(HTTPStatus.NOT_FOUND, detail)

    app.router.default = refuse


def nearest_path(path: str, templates: Iterable[str]) -> str | None:
    """Return the path that is most like one that there is not; None if none is.

    Args:
        path: The path.
        templates: Those of all routes; what is in ``{}`` can be anything, and is as in ``path``.

    Example:
        >>> nearest_path("/experimnts/x", ["/experiments/{experiment_id}"])
        '/experiments/x'
    """
    if len(path) > _LONGEST_PATH:
        return None
    given = path.split("/")
    likeness: dict[str, float] = {}
    for template in templates:
        parts = template.split("/")
        if len(parts) == len(given):
            meant = "/".join(map(_meant, given, parts))
            likeness[meant] = min(map(_likeness, given, parts))
    if path in likeness:  # which is a path, and yet none that is answered
        return None
    nearest = max(likeness, key=lambda each: likeness[each], default=None)
    return nearest if nearest and likeness[nearest] >= _LEAST_LIKENESS else None


def _meant(given: str, part: str) -> str:
    return given if part.startswith("{") else part


def _likeness(given: str, part: str) -> float:
    if part.startswith("{"):
        return 1.0 if given else 0.0
    return SequenceMatcher(None, given, part).ratio()


def _detail(scope: Scope, templates: Iterable[str]) -> str:
    whole, root = scope["path"], scope.get("root_path", "")
    near = nearest_path(whole.removeprefix(root), templates)
    hint = f" Did you mean {quote(root + near)}?" if near else ""
    short = whole if len(whole) <= _LONGEST_PATH else f"{whole[:_LONGEST_PATH]}.."
    return f"There is no path {short!r}.{hint} All paths are described at {root}{_DOCUMENTATION}."
