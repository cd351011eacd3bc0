"""Using a model without a trace: whatever a prediction uses up is put back."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.rows import to_numpy

# Larger variables are weights: no random generator or recurrent state is of that size.
_LARGEST_STATE = 1 << 20


@contextlib.contextmanager
def unchanged(model: Any, framework: Framework) -> Iterator[None]:
    """Put back what a prediction may use up.

    These are the global states of ``random``, NumPy and the backend, every random generator
    of Keras that is drawn from, wherever it is kept, and the model's recurrent states.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    states = [v for v in model.non_trainable_variables if np.prod(v.shape) <= _LARGEST_STATE]
    before = [(variable, _copy(variable)) for variable in states]
    try:
        with framework.keeping_random_state(), _keeping_generators():
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        for variable, value in before:
            if not np.array_equal(_copy(variable), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)


@contextlib.contextmanager
def _keeping_generators() -> Iterator[None]:
    """Remember the state of each of Keras' generators before its first draw."""
    kind = keras.random.SeedGenerator
    draw = kind.next
    states: dict[int, tuple[Any, Any]] = {}

    def remembering_draw(self: Any, *args: Any, **kwargs: Any) -> Any:
        states.setdefault(id(self), (self.state, _copy(self.state)))
        return draw(self, *args, **kwargs)

    kind.next = remembering_draw
    try:
        yield
    finally:
        kind.next = draw
        for variable, value in states.values():
            variable.assign(value)


def _copy(variable: Any) -> np.ndarray[Any, Any]:
    return np.array(to_numpy(variable))
