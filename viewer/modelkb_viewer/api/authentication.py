"""Who asks: a token in the header ``Authorization``, or anybody where the server has no tokens."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from modelkb_store import Store
from modelkb_viewer.api.problems import RefusedError
from modelkb_viewer.opened_store import opened_store, store_if_open
from modelkb_viewer.tokens import Scope, Tokens

# Set by servers that others can reach: nobody is let in without a token, also once there is none.
TOKEN_REQUIRED_VARIABLE = "MODELKB_TOKEN_REQUIRED"  # noqa: S105 - the name of a variable
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ModelKB"'}
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
    """

    scope: Scope
    project: str | None = None
    token_id: str | None = None

    def check_project(self, project: str | None) -> None:
        """Pass if a request about a project, or about all of them, is allowed.

        Raises:
            RefusedError: It is not.
        """
        if self.project not in (None, project):
            detail = f"This token is for the project {self.project!r} alone."
            raise RefusedError(HTTPStatus.FORBIDDEN, detail)


async def asked_store() -> Store:
    """Return the store, without a change of threads once it is open."""
    store = store_if_open()
    return store if store is not None else await run_in_threadpool(opened_store)


async def requester(
    store: Annotated[Store, Depends(asked_store)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Requester:
    """Return who asks.

    Raises:
        RefusedError: A token is needed, and there is none or a wrong one.
    """
    # A small file of this machine is read sooner than threads are changed.
    if store.files.local_path("") is not None:
        return _requester(store, credentials)
    return await run_in_threadpool(_requester, store, credentials)


def _requester(store: Store, credentials: HTTPAuthorizationCredentials | None) -> Requester:
    tokens = Tokens(store.files)
    if credentials is None:
        if TOKEN_REQUIRED_VARIABLE in os.environ or tokens.exist():
            detail = "A token is needed: send it as `Authorization: Bearer TOKEN`."
            raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, _CHALLENGE)
        return Requester(Scope.ADMIN)
    token = tokens.verified(credentials.credentials)
    if token is None:
        detail = "This token is not valid. It may be mistyped, or revoked."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, _CHALLENGE)
    return Requester(token.scope, token.project, token.token_id)


AskedBy = Annotated[Requester, Depends(requester)]


def needs(scope: Scope) -> Callable[[Requester], Awaitable[None]]:
    """Return a dependency that passes those who have a scope."""

    async def check(who: AskedBy) -> None:
        if not who.scope.includes(scope):
            detail = f"This needs a token with the scope `{scope.value}`; yours is for "
            detail += f"`{who.scope.value}`."
            raise RefusedError(HTTPStatus.FORBIDDEN, detail)

    return check
