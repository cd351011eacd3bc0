"""The address of a server: where its API is, and the token that may be in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from modelkb_store.errors import InvalidSettingError

TOKEN_VARIABLE = "MODELKB_TOKEN"  # noqa: S105 - the name of a variable
API_PATH = "/api/v1"


@dataclass(frozen=True, slots=True, repr=False)
class ServerAddress:
    """A server.

    Attributes:
        uri: Its address, for people; without credentials.
        token: What it lets in; None for nobody in particular.

    Example:
        >>> ServerAddress.parse("https://mkb_0a@lab.example:8601/", {}).uri
        'https://lab.example:8601'
    """

    uri: str
    token: str | None

    @classmethod
    def parse(cls, location: str, environ: Mapping[str, str] = os.environ) -> ServerAddress:
        """Return the server of an address.

        Args:
            location: ``https://host:port``, with the path that a proxy may put before the API;
                a token before the host comes before that of ``$MODELKB_TOKEN``.
            environ: Where the token is looked up.

        Raises:
            InvalidSettingError: It is no such address.
        """
        parts = urlsplit(location)
        credentials, _, host = parts.netloc.rpartition("@")
        path = parts.path.rstrip("/").removesuffix(API_PATH).rstrip("/")
        uri = urlunsplit((parts.scheme.lower(), host.lower(), path, "", ""))
        if not _has_host(host) or parts.query or parts.fragment:
            raise InvalidSettingError("store", uri, "an address such as https://host:port")
        user, _, password = credentials.partition(":")
        token = unquote(password or user) or environ.get(TOKEN_VARIABLE, "").strip()
        return cls(uri, token or None)

    @property
    def base(self) -> str:
        """Where the API begins."""
        return self.uri + API_PATH


def _has_host(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
