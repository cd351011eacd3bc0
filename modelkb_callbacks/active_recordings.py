"""The recordings that are on in this process, and those whose models are still about."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_lock = threading.Lock()
_active: list[tuple[int, Recording]] = []  # with the thread that each began in
_of_models: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()
_of_layers: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()


def add(recording: Recording) -> None:
    """Note that a recording begins."""
    with _lock:
        _active.append((threading.get_ident(), recording))


def remove(recording: Recording) -> None:
    """Note that a recording is over; it need not be on."""
    with _lock:
        _active[:] = [entry for entry in _active if entry[1] is not recording]


def remember(model: Any, recording: Recording) -> None:
    """Note which recording a model was trained in last, for as long as the model lives."""
    with _lock:
        _of_models[model] = recording


def remember_layers(layers: Iterable[Any], recording: Recording) -> None:
    """Note which recording has trained these layers last, for as long as each lives."""
    with _lock:
        for layer in layers:
            with contextlib.suppress(TypeError):  # a class of the user's that cannot be hashed
                _of_layers[layer] = recording


def innermost() -> Recording | None:
    """Return the recording that began last, in this thread if one did."""
    here = threading.get_ident()
    with _lock:
        of_thread = [recording for thread, recording in _active if thread == here]
        of_process = [recording for _, recording in _active]
    return next(reversed(of_thread or of_process), None)


def of_model(model: Any) -> Recording | None:
    """Return the block (:func:`modelkb_callbacks.experiment`) that a model belongs to now."""
    here = threading.get_ident()
    with _lock:
        blocks = [
            recording
            for thread, recording in _active
            # One without a model takes in whatever is trained next, but not by other threads.
            if recording.takes_in(model) and (recording.model is model or thread == here)
        ]
    return next(reversed(blocks), None)


def last_of_model(model: Any) -> Recording | None:
    """Return the recording that a model was trained in last, also when that is over."""
    try:
        with _lock:
            return _of_models.get(model)
    except TypeError:  # a class of the user's that cannot be hashed
        return None


def last_of_layer(layer: Any) -> Recording | None:
    """Return the recording that has trained a layer last, in whatever model."""
    try:
        with _lock:
            return _of_layers.get(layer)
    except TypeError:
        return None
