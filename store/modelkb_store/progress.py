"""How long work tells how far it has come."""

from __future__ import annotations

from collections.abc import Callable

# Told how many of how many parts are done.
Progress = Callable[[int, int], None]
