"""Tokens: who may read, write or govern a store through a server.

A token is shown once, when it is made. The store keeps a hash of it: the secret part has 256
random bits, so that a plain hash cannot be searched through.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

from modelkb_store.errors import CorruptFileError, InvalidSettingError, ModelKBError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.files.open_files import is_server
from modelkb_viewer.listening import is_only_for_this_machine

# Set by servers that others can reach: nobody is let in without a token, also once there is none.
TOKEN_REQUIRED_VARIABLE = "MODELKB_TOKEN_REQUIRED"  # noqa: S105 - the name of a variable
_FOLDER = "tokens"
_TEXT = re.compile(r"mkb_(?P<id>[0-9a-f]{10})_(?P<secret>[A-Za-z0-9_-]{43})")
_LONGEST_NAME = 200


class Scope(str, Enum):
    """What a token allows; each also what comes before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: Scope) -> bool:
        """Return whether it allows what another one does."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token.

    Attributes:
        token_id: Ten hexadecimal digits.
        name: What it is for.
        scope: What it allows.
        project: The only project that it is about; None for all.
        created_at: When it was made.
    """

    token_id: str
    name: str
    scope: Scope
    project: str | None
    created_at: datetime


class TokenNotFoundError(ModelKBError, KeyError):
    """The store has no such token."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"There is no token {token_id!r}. See `modelkb token list`.")


class NoTokenError(ModelKBError, RuntimeError):
    """Others could reach a server that lets everybody in."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"Everybody who reaches {address} could read and change the store, as it has no "
            "tokens. Make one with `modelkb token create`, or listen on 127.0.0.1 alone."
        )


class Tokens:
    """The tokens of a store.

    Args:
        files: The store.

    Example:
        >>> token, text = Tokens(store.files).create("laptop", Scope.WRITE)
        >>> Tokens(store.files).verified(text) == token
        True
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def create(self, name: str, scope: Scope, project: str | None = None) -> tuple[Token, str]:
        """Make a token.

        Args:
            name: What it is for, up to 200 characters.
            scope: What it allows.
            project: The only project that it is to be about.

        Returns:
            The token, and its text, which nobody can find out again.

        Raises:
            InvalidSettingError: The name is empty or too long.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InvalidSettingError("name", name, f"1 to {_LONGEST_NAME} characters")
        token = Token(secrets.token_hex(5), name, scope, project, datetime.now(timezone.utc))
        secret = secrets.token_urlsafe(32)
        facts = {
            "name": token.name,
            "scope": token.scope.value,
            "project": token.project,
            "created_at": token.created_at.isoformat(),
            "sha256": _hash(secret),
        }
        self._files.create(_path(token.token_id), json.dumps(facts, indent=2).encode())
        return token, f"mkb_{token.token_id}_{secret}"

    def all(self) -> list[Token]:
        """Return the tokens, oldest first."""
        ids = [info.path.rpartition("/")[2].removesuffix(".json") for info in self._infos()]
        found = [self._read(token_id) for token_id in ids]
        known = [each[0] for each in found if each is not None]
        return sorted(known, key=lambda token: (token.created_at, token.token_id))

    def exist(self) -> bool:
        """Return whether there is any."""
        return bool(self._infos())

    def are_needed(self) -> bool:
        """Return whether a server lets nobody in without one.

        A store that is a server itself keeps its tokens to itself.
        """
        return is_token_required() or (not is_server(self._files.uri) and self.exist())

    def find(self, token_id: str) -> Token | None:
        """Return the token with an id; None if there is none any more."""
        found = self._read(token_id)
        return found[0] if found else None

    def verified(self, text: str) -> Token | None:
        """Return the token that a text is; None for any other text."""
        parsed = _TEXT.fullmatch(text)
        found = self._read(parsed["id"]) if parsed else None
        # Compared in the same time whatever is wrong.
        expected = found[1] if found else _hash("")
        is_same = hmac.compare_digest(expected, _hash(parsed["secret"] if parsed else text))
        return found[0] if found and is_same else None

    def revoke(self, token_id: str) -> None:
        """Make a token worthless, at once.

        Raises:
            TokenNotFoundError: There is none with this id.
        """
        if self._read(token_id) is None:
            raise TokenNotFoundError(token_id)
        self._files.delete(_path(token_id))

    def _infos(self) -> list[FileInfo]:
        return [info for info in self._files.list(_FOLDER) if info.path.endswith(".json")]

    def _read(self, token_id: str) -> tuple[Token, str] | None:
        path = _path(token_id)
        try:
            facts = json.loads(self._files.read(path))
            created_at = datetime.fromisoformat(facts["created_at"])
            scope = Scope(facts["scope"])
            token = Token(token_id, facts["name"], scope, facts["project"], created_at)
            return token, str(facts["sha256"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptFileError(f"{self._files.uri}/{path}", error) from error


def is_token_required() -> bool:
    """Return whether this process lets nobody in without a token, whatever its store has."""
    return TOKEN_REQUIRED_VARIABLE in os.environ


def require_token(files: Files, address: str) -> None:
    """Have a server that others can reach let nobody in without a token, from now on.

    Args:
        files: The store.
        address: Where the server listens; on this machine alone, nothing is required.

    Raises:
        NoTokenError: The store has no token.
    """
    if is_only_for_this_machine(address):
        return
    if not Tokens(files).exist():
        raise NoTokenError(address)
    os.environ[TOKEN_REQUIRED_VARIABLE] = "1"


def _path(token_id: str) -> str:
    return f"{_FOLDER}/{token_id}.json"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
