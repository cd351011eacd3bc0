"""Using a model without a trace: random states and the model's own are put back."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.rows import to_numpy


@contextlib.contextmanager
def unchanged(model: Any, framework: Framework) -> Iterator[None]:
    """Put back what a prediction may use up.

    These are the global states of ``random``, NumPy and the backend, and the model's own
    random generators and recurrent states, which are among its untrained variables.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    before = [(variable, _copy(variable)) for variable in model.non_trainable_variables]
    try:
        with framework.keeping_random_state():
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        for variable, value in before:
            if not np.array_equal(_copy(variable), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)


def _copy(variable: Any) -> np.ndarray[Any, Any]:
    return np.array(to_numpy(variable))
