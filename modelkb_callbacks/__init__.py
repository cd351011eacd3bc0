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
    from modelkb_callbacks.automatic import autolog, disable
    from modelkb_callbacks.callback import ModelKB, ModelKBCallback
    from modelkb_callbacks.experiment_block import experiment
    from modelkb_callbacks.guard import ModelKBWarning
    from modelkb_callbacks.run import Run, current_run
    from modelkb_callbacks.scanning import scan
    from modelkb_callbacks.user_source import ModelKBSourceWarning

__all__ = [
    "ModelKB",
    "ModelKBCallback",
    "ModelKBSourceWarning",
    "ModelKBWarning",
    "Run",
    "autolog",
    "current_run",
    "disable",
    "experiment",
    "scan",
]

_HOMES = {
    "ModelKB": "callback",
    "ModelKBCallback": "callback",
    "ModelKBSourceWarning": "user_source",
    "ModelKBWarning": "guard",
    "Run": "run",
    "autolog": "automatic",
    "current_run": "run",
    "disable": "automatic",
    "experiment": "experiment_block",
    "scan": "scanning",
}

__getattr__ = lazy_names(__name__, _HOMES)

# At once if Keras is there: `model.fit` is looked up before `ModelKB()` runs in its arguments.
wrapt.register_post_import_hook("modelkb_callbacks.automatic:patch", "keras")
