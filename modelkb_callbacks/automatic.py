"""Recording without a callback: of every ``fit`` of the process, or where it is asked for.

Nothing here imports Keras: a script can say ``autolog()`` before it chooses its backend.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelkb_callbacks.settings import Settings

_settings: Settings | None = None
_enabled = True
_asked_for: ContextVar[Any] = ContextVar("modelkb_asked_for", default=None)


def autolog(**settings: Any) -> None:
    """Record every ``fit`` of this process, with no other change.

    A ``fit`` that has a :class:`ModelKBCallback` of its own is recorded by that one alone.
    Called again, it changes the settings.

    Args:
        **settings: As for :class:`ModelKBCallback`; an experiment's ``name`` is for all.

    Raises:
        InvalidNameError: The project's name is not legal.
        InvalidSettingError: Another argument makes no sense.

    Example:
        >>> import modelkb_callbacks
        >>> modelkb_callbacks.autolog(project="digits")
        >>> model.fit(x, y, epochs=5)
    """
    global _settings, _enabled  # noqa: PLW0603 - one for the process, as Keras' patch is
    from modelkb_callbacks.settings import Settings

    _settings = Settings(**settings)
    _enabled = True
    keras = sys.modules.get("keras")
    if keras is not None:
        patch(keras)


def disable() -> None:
    """Stop recording by itself, and put Keras' own functions back, identically.

    A :class:`ModelKBCallback` that is passed to ``fit`` still records, with what a callback
    alone can see. :func:`autolog` puts the patch on again.

    Example:
        >>> modelkb_callbacks.disable()
        >>> hasattr(keras.Model, "xfit")
        False
    """
    global _settings, _enabled  # noqa: PLW0603
    from modelkb_callbacks import keras_patch

    _settings = None
    _enabled = False
    keras_patch.restore()


def patch(keras: ModuleType) -> None:
    """Put the patch on Keras, unless it is disabled; called when Keras has been imported."""
    # Keras may just be on its way in; then this is called once more.
    if _enabled and hasattr(keras, "Model"):
        from modelkb_callbacks import keras_patch

        keras_patch.install(keras)


def may_record() -> bool:
    """Return whether anything at all may be recorded; without it, calls pass at once."""
    return _enabled and (
        _settings is not None
        or _asked_for.get() is not None
        or "modelkb_callbacks.recording" in sys.modules
    )


def settings_for(model: Any) -> Settings | None:
    """Return how to record a model's ``fit`` that has no callback of ours; None for not."""
    if _settings is not None:
        return _settings
    if not is_asked_for(model):
        return None
    from modelkb_callbacks.settings import Settings

    return Settings()


@contextlib.contextmanager
def asked_for(model: Any) -> Iterator[None]:
    """While the block runs, ``fit`` and ``predict`` of this model are recorded."""
    token = _asked_for.set(model)
    try:
        yield
    finally:
        _asked_for.reset(token)


def is_asked_for(model: Any) -> bool:
    """Return whether this model's call is to be recorded whatever else is said."""
    return _asked_for.get() is model
