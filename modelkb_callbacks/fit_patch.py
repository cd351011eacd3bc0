"""The thin patch of ``keras.Model.fit``.

A callback alone sees neither the arguments of ``fit`` nor its exceptions, and cannot act
after the callbacks behind it. The patch lends it all three, and passes every call on
untouched, also the ones that nobody records.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import Any

import keras

from modelkb_callbacks.fit_call import FitCall


def install(_: object = None) -> None:
    """Put the patch on ``keras.Model.fit``; a second time changes nothing."""
    if is_installed():
        return
    original = keras.Model.fit

    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorders = _begin(original, self, *args, **kwargs)
        if not recorders:
            return original(self, *args, **kwargs)
        with contextlib.ExitStack() as endings:
            for recorder in recorders:
                endings.push(_ending(recorder))
            return original(self, *args, **kwargs)

    fit._modelkb_original = original  # type: ignore[attr-defined]
    keras.Model.fit = fit


def _begin(fit: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
    """Hand the call to the recorders among its callbacks; there are none in most calls."""
    callback = sys.modules.get("modelkb_callbacks.callback")
    if callback is None:
        return []
    try:
        call = FitCall.bind(fit, *args, **kwargs)
        recorders = call.recorders(callback.ModelKBCallback)
    except Exception:  # noqa: BLE001 - a call that is odd or wrong: Keras itself will say so
        return []
    for recorder in recorders:
        recorder.begin_fit(call)
    return recorders


def _ending(recorder: Any) -> Callable[..., None]:
    def end(kind: object, outcome: BaseException | None, traceback: object) -> None:
        recorder.end_fit(outcome)

    return end


def is_installed() -> bool:
    """Return whether ``keras.Model.fit`` is ours."""
    return hasattr(keras.Model.fit, "_modelkb_original")
