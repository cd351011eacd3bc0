"""Who looks at the pages: whoever has signed in with a token, or anybody where none is needed."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

from modelkb_store.errors import ModelKBError, StoreNotFoundError
from modelkb_store.files.files import Files
from modelkb_store.files.open_files import is_server
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.tokens import Scope, Token, Tokens, is_token_required

SECONDS_SIGNED_IN = 7 * 24 * 3600
_MOST_SESSIONS = 10_000
# A page is dozens of requests, and in a bucket a look for tokens takes a while.
_SECONDS_WITHOUT_TOKENS = 1.0


class InvalidTokenError(ModelKBError, ValueError):
    """What was given for a token is none, or none any more."""

    def __init__(self) -> None:
        super().__init__("This token is not valid. It may be mistyped, or revoked.")


class ProjectTokenError(ModelKBError, ValueError):
    """A token for one project cannot be used for the pages."""

    def __init__(self, project: str) -> None:
        super().__init__(
            f"This token is for the project {project!r} alone; the pages show all projects. It can "
            "be used with the API, and with `--store` of the commands."
        )


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who looks at the pages.

    Attributes:
        scope: What is allowed.
        session: Under which the sign-in is kept, a secret of the browser; None without sign-in.
        token: With which it was made.
    """

    scope: Scope
    session: str | None = None
    token: Token | None = None

    @property
    def token_id(self) -> str | None:
        """The id of the token; None without one."""
        return self.token.token_id if self.token else None

    @property
    def token_name(self) -> str | None:
        """What the token is called."""
        return self.token.name if self.token else None

    @property
    def may_edit(self) -> bool:
        """Whether notes and tags may be changed, trainings run, and what is tried recorded."""
        return self.scope.includes(Scope.WRITE)


@dataclass(frozen=True, slots=True)
class _Session:
    token: Token
    until: float


class Visitors:
    """The sign-ins of one server, for the store that it shows; threads may share it.

    They are kept in memory, and end with the server, after a week, or with their token.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._open_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def sign_in(self, text: str) -> str:
        """Return a new session for whoever has a token.

        Args:
            text: The token.

        Raises:
            InvalidTokenError: It is none.
            ProjectTokenError: It is for one project.
        """
        files = _files()
        token = Tokens(files).verified(text) if files is not None else None
        if token is None:
            raise InvalidTokenError
        if token.project is not None:
            raise ProjectTokenError(token.project)
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session] = _Session(token, time.monotonic() + SECONDS_SIGNED_IN)
            if len(self._sessions) > _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return session

    def sign_out(self, session: str) -> None:
        """End a session; it may have ended."""
        with self._lock:
            self._sessions.pop(session, None)

    def find(self, session: str | None) -> Visitor | None:
        """Return who has a session; None if nobody is let in with it.

        The token is looked up each time.

        Args:
            session: As :meth:`sign_in` has returned it; None without any.

        Raises:
            ModelKBError, OSError: The store does not say whether a token is needed.
        """
        files = _files()
        kept = self._sessions.get(session) if session else None
        if session and kept:
            token = Tokens(files).find(kept.token.token_id) if files is not None else None
            if token == kept.token and time.monotonic() < kept.until:
                return Visitor(kept.token.scope, session, kept.token)
            self.sign_out(session)
        return None if self._is_token_needed(files) else Visitor(Scope.ADMIN)

    def has_ended(self, session: str | None) -> bool:
        """Return whether there was a session that is known to be over, without looking further."""
        return session is not None and session not in self._sessions

    def _is_token_needed(self, files: Files | None) -> bool:
        if files is None:
            return is_token_required()
        now = time.monotonic()
        if not is_token_required() and now < self._open_until.get(files.uri, 0.0):
            return False
        if Tokens(files).are_needed():
            return True
        self._open_until[files.uri] = now + _SECONDS_WITHOUT_TOKENS
        return False


def _files() -> Files | None:
    """Return the files of the store; None where it has no tokens of its own, or is not there."""
    if is_server(resolve_store_location(None)):
        return None
    try:
        return opened_store().files
    except StoreNotFoundError:
        return None


VISITORS = Visitors()
