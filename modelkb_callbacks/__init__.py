"""Recording of Keras trainings: all of ModelKB that runs inside a user's process.

Importing it is light and leaves Keras alone until the script itself, or a name used from
here, imports it; from then on Keras' models have ``xfit``, ``xfit_generator`` and ``xpredict``.

Example:
    >>> from modelkb_callbacks import ModelKB
    >>> model.fit(x, y, epochs=5, callbacks=[ModelKB()])
"""

from typing import TYPE_CHECKING

import wrapt

from modelkb_store.lazy_names import lazy_names

if TYPE_CHECKING:
    from modelkb_callbacks.callback import ModelKB, ModelKBCallback
    from modelkb_callbacks.guard import ModelKBWarning
    from modelkb_callbacks.scanning import scan

__all__ = ["ModelKB", "ModelKBCallback", "ModelKBWarning", "scan"]

_HOMES = {
    "ModelKB": "callback",
    "ModelKBCallback": "callback",
    "ModelKBWarning": "guard",
    "scan": "scanning",
}

__getattr__ = lazy_names(__name__, _HOMES)

# At once if Keras is there: `model.fit` is looked up before `ModelKB()` runs in its arguments.
wrapt.register_post_import_hook("modelkb_callbacks.fit_patch:install", "keras")
