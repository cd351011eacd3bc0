"""Where the API is, within a larger application."""

from __future__ import annotations

import re

from starlette.routing import Mount

from modelkb_viewer.api.application import PATH, make_api


class _WholePaths(Mount):
    """A mount that takes paths with line breaks, too: they are answered by the API as all are."""

    def __init__(self) -> None:
        super().__init__(PATH, make_api())
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def api_mount() -> Mount:
    """Return the API as a route of a larger application, at ``/api/v1``."""
    return _WholePaths()
