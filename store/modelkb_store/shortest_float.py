"""Numbers as people wrote them, where only a float32 of them is left."""

from __future__ import annotations

import math

import numpy as np


def shortest_float(value: float) -> float:
    """Return the shortest decimal number that is the same float32.

    An optimizer keeps its settings in float32, where 0.001 reads 0.0010000000474974513.

    Example:
        >>> shortest_float(0.0010000000474974513)
        0.001
    """
    if not math.isfinite(value) or float(np.float32(value)) != value:
        return value
    short = float(str(np.float32(value)))
    # NumPy writes large ones with a power of ten: 999999995904.0 as 1e+12, which Python writes out.
    return min(value, short, key=lambda each: len(repr(each)))
