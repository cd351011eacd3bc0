"""Recording of Keras trainings: all of ModelKB that runs inside a user's process.

Example:
    >>> from modelkb_callbacks import ModelKB
    >>> model.fit(x, y, epochs=5, callbacks=[ModelKB()])
"""

from modelkb_store.errors import MissingPackageError

try:
    import keras  # noqa: F401
except ImportError as error:
    raise MissingPackageError(
        "Keras 3 with a backend", "Recording a training", "pip install 'modelkb[tensorflow]'"
    ) from error

from modelkb_callbacks import fit_patch
from modelkb_callbacks.callback import ModelKB, ModelKBCallback
from modelkb_callbacks.guard import ModelKBWarning

__all__ = ["ModelKB", "ModelKBCallback", "ModelKBWarning"]

# At import, as `model.fit` is looked up before `ModelKB()` runs in its arguments.
fit_patch.install()
