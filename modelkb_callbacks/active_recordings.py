"""The recordings that are on in this process, and those whose models are still about."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_lock = threading.Lock()
_active: list[Recording] = []
_of_models: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()


def add(recording: Recording) -> None:
    """Note that a recording begins."""
    with _lock:
        _active.append(recording)


def remove(recording: Recording) -> None:
    """Note that a recording is over; it need not be on."""
    with _lock:
        if recording in _active:
            _active.remove(recording)


def remember(model: Any, recording: Recording) -> None:
    """Note which recording a model was trained in last, for as long as the model lives."""
    with _lock:
        _of_models[model] = recording


def innermost() -> Recording | None:
    """Return the recording that began last of those that are on."""
    with _lock:
        return _active[-1] if _active else None


def of_model(model: Any) -> Recording | None:
    """Return the block (:func:`modelkb_callbacks.experiment`) that a model belongs to now."""
    with _lock:
        for recording in reversed(_active):
            if recording.takes_in(model):
                return recording
    return None


def last_of_model(model: Any) -> Recording | None:
    """Return the recording that a model was trained in last, also when that is over."""
    try:
        with _lock:
            return _of_models.get(model)
    except TypeError:  # a class of the user's that cannot be hashed
        return None
