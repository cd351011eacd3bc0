"""Errors on their way over the network: named by a server, raised here as if they were local."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelkb_store.errors import ModelKBError, ServerRefusedError, StoreUnreachableError, TokenError

_PREFIX = "/problems/"
# Public attributes of errors that go with them.
_FACTS = ("position", "where", "path")
# Where an answer has no text, as to a HEAD.
_DETAILS = {
    401: "it wants a token, or does not know this one: it may be mistyped, or revoked.",
    403: "the token does not allow this.",
}
_ADVICE = (
    "Check the network and the address, then try again. What is recorded for it meanwhile waits "
    "on this machine."
)


def problem_type(kind: type[ModelKBError]) -> str:
    """Return the name of a kind of error in problem details (RFC 9457).

    Example:
        >>> problem_type(ExperimentNotFoundError)
        '/problems/experiment-not-found'
    """
    name = kind.__name__.removesuffix("Error")
    return _PREFIX + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def facts_of(error: ModelKBError) -> dict[str, str | int]:
    """Return what an error says beside its text, as JSON can hold it."""
    known = {name: getattr(error, name, None) for name in _FACTS}
    return {
        name: value if isinstance(value, int) else str(value)
        for name, value in known.items()
        if value is not None
    }


def error_of(uri: str, status: int, problem: Mapping[str, Any]) -> ModelKBError:
    """Return the error that a server's answer stands for.

    Args:
        uri: The server, without credentials.
        status: The status of the answer.
        problem: The problem details, or what there is of them.
    """
    detail = str(problem.get("detail") or _DETAILS.get(status) or f"it answers {status}.")
    kind = _kinds().get(str(problem.get("type")))
    if kind is not None:
        return _remade(kind, detail, problem.get("facts"))
    if status in (401, 403):
        return TokenError(uri, detail)
    if status >= 500 or status in (408, 429):
        return unreachable(uri, detail)
    return ServerRefusedError(uri, detail)


def unreachable(uri: str, reason: object) -> StoreUnreachableError:
    """Return the error of a server that does not answer, or not as one of ours does."""
    return StoreUnreachableError(uri, reason, _ADVICE)


def _kinds() -> dict[str, type[ModelKBError]]:
    return {problem_type(kind): kind for kind in _below(ModelKBError)}


def _below(kind: type[ModelKBError]) -> Iterator[type[ModelKBError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _remade(kind: type[ModelKBError], text: str, facts: object) -> ModelKBError:
    """Make an error with a text that another process has built already."""
    error = kind.__new__(kind)
    error.args = (text,)
    for name, value in facts.items() if isinstance(facts, dict) else ():
        if name in _FACTS:
            setattr(error, name, Path(value) if name == "path" else value)
    return error
