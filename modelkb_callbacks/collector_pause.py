"""Keeping Python's garbage collector from running in the middle of our work."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_pause() -> Iterator[None]:
    """Let the collector of cycles rest while the block runs; it is left as it was found.

    What we make is nearly all free again at the end: syntax trees, rows, texts. Counted as it is
    made, it looks to Python like growth, and starts a collection of all that the process holds,
    which takes a quarter of a second where TensorFlow is loaded. For short work only.

    Example:
        >>> with collector_pause():
        ...     tree = ast.parse(source)
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
