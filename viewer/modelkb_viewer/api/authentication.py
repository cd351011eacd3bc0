"""Who asks: a token in the header ``Authorization``, or anybody where the server has no tokens."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_viewer.api.audit import note_write
from modelkb_viewer.api.limits import VERIFIED
from modelkb_viewer.api.problems import RefusedError
from modelkb_viewer.opened_store import opened_store, store_if_open
from modelkb_viewer.tokens import Scope, Tokens

_scopes: weakref.WeakKeyDictionary[object, Scope] = weakref.WeakKeyDictionary()
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ModelKB"'}
_READING = ("GET", "HEAD")
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token made by `modelkb token create`; not needed where the server has none.",
)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks.

    Attributes:
        scope: What is allowed.
        project: The only project that it is allowed for; None for all.
        token_id: The token; None without one.
        token_name: What it is called.
    """

    scope: Scope
    project: str | None = None
    token_id: str | None = None
    token_name: str | None = None

    def check_project(self, project: str | None) -> None:
        """Pass if a request about a project, or about all of them, is allowed.

        Raises:
            RefusedError: It is not.
        """
        if self.project not in (None, project):
            detail = f"This token is for the project {self.project!r} alone."
            raise RefusedError(HTTPStatus.FORBIDDEN, detail)

    def project_of(self, wanted: str | None) -> str | None:
        """Return the project that a request is about; None if it is about all.

        Raises:
            RefusedError: It is about another one than it may be.
        """
        project = wanted or self.project
        self.check_project(project)
        return project


async def asked_store() -> Store:
    """Return the store, without a change of threads once it is open."""
    store = store_if_open()
    return store if store is not None else await run_in_threadpool(opened_store)


async def requester(
    request: Request,
    store: Annotated[Store, Depends(asked_store)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Requester:
    """Return who asks.

    Raises:
        RefusedError: A token is needed, and there is none or a wrong one.
    """
    # A small file of this machine is read sooner than threads are changed.
    if store.files.local_path("") is not None:
        who = _requester(store, credentials)
    else:
        who = await run_in_threadpool(_requester, store, credentials)
    if who.token_id is not None:
        request.scope[VERIFIED] = True
    return who


def _requester(store: Store, credentials: HTTPAuthorizationCredentials | None) -> Requester:
    tokens = Tokens(store.files)
    if credentials is None:
        if tokens.are_needed():
            detail = "A token is needed: send it as `Authorization: Bearer TOKEN`."
            raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, _CHALLENGE)
        return Requester(Scope.ADMIN)
    token = tokens.verified(credentials.credentials)
    if token is None:
        detail = "This token is not valid. It may be mistyped, or revoked."
        if not tokens.are_needed():
            detail = "This token is not of this server, which needs none: send none."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, _CHALLENGE)
    return Requester(token.scope, token.project, token.token_id, token.name)


def is_still_valid(store: Store, who: Requester) -> bool:
    """Return whether somebody who was let in would be now: a token may have been revoked."""
    tokens = Tokens(store.files)
    if who.token_id is None:
        return not tokens.are_needed()
    return tokens.find(who.token_id) is not None


def is_token_needed() -> bool:
    """Return whether nobody is let in without a token; True where it takes long to find out."""
    store = store_if_open()
    if store is None or store.files.local_path("") is None:
        return True
    return Tokens(store.files).are_needed()


AskedBy = Annotated[Requester, Depends(requester)]


def needs(scope: Scope) -> Callable[[Request, Requester], Awaitable[None]]:
    """Return a dependency that passes those who have a scope."""

    async def check(request: Request, who: AskedBy) -> None:
        if scope is not Scope.READ and request.method not in _READING:
            note_write(request, who)
        if not who.scope.includes(scope):
            detail = f"This needs a token with the scope `{scope.value}`; yours is for "
            detail += f"`{who.scope.value}`."
            raise RefusedError(HTTPStatus.FORBIDDEN, detail)

    _scopes[check] = scope
    return check


def scope_of(dependency: object) -> Scope | None:
    """Return the scope that a dependency of :func:`needs` passes; None of any other one."""
    return _scopes.get(dependency)
