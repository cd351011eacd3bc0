"""Mounts of which every path is, also one with a line break."""

from __future__ import annotations

import re
from typing import Any

from starlette.routing import Mount


class WholePaths(Mount):
    """A mount whose application answers all that is below its path.

    Starlette's own leaves out paths with a line break, which were then answered by whoever comes
    next, in another way.

    Args:
        path: Where it is.
        arguments: As of Starlette's.
    """

    def __init__(self, path: str, **arguments: Any) -> None:
        super().__init__(path, **arguments)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)
