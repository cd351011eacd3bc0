"""The learning rate that a model's optimizer is about to use."""

from __future__ import annotations

import logging
import random
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.frameworks.framework import has_own
from modelkb_callbacks.rows import to_numpy
from modelkb_store.shortest_float import shortest_float

_log = logging.getLogger(__name__)


def used_optimizer(model: Any) -> Any | None:
    """Return the optimizer that trains, without what mixed precision wraps around it.

    Returns:
        None for a model without one, and for one that compiles itself: it has optimizers of
        its own, and Keras' default is not used.
    """
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    own_compile = isinstance(optimizer, keras.optimizers.RMSprop) and has_own(model, "compile")
    return None if own_compile else optimizer


def has_schedule(model: Any) -> bool:
    """Return whether the learning rate follows from the optimizer's steps alone."""
    rate = getattr(used_optimizer(model), "_learning_rate", None)
    return isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)


def current_learning_rate(model: Any) -> float | None:
    """Return the learning rate of the optimizer's next step, as people write it.

    Returns:
        None without an optimizer, with several in one, and for a function of the user's own
        without arguments, which may count its calls.
    """
    optimizer = used_optimizer(model)
    rate = getattr(optimizer, "_learning_rate", None)
    if optimizer is None or rate is None or hasattr(optimizer, "optimizers"):
        return None
    try:
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            return _as_float(_of_schedule(rate, optimizer.iterations))
        return None if callable(rate) else _as_float(rate)
    except Exception as error:  # noqa: BLE001 - a schedule of the user's may raise anything
        _log.debug("the learning rate could not be read", exc_info=error)
        return None


def _of_schedule(schedule: Any, step: Any) -> Any:
    if type(schedule).__module__.partition(".")[0] == "keras":
        return schedule(step)
    # One of the user's own that draws random numbers must not be moved on.
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with current_framework().keeping_random_state():
            return schedule(step)
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


def _as_float(value: Any) -> float:
    return shortest_float(float(value if isinstance(value, (int, float)) else to_numpy(value)))
