"""What differs between the backends of Keras: one small module for each."""

from __future__ import annotations

import keras

from modelkb_callbacks.frameworks.framework import BackendFacts, Framework, Shuffle

__all__ = ["BackendFacts", "Framework", "Shuffle", "current_framework"]


def current_framework() -> Framework:
    """Return the module for the backend that Keras runs on.

    Raises:
        NotImplementedError: The backend cannot train (Keras has such for inference alone).
    """
    # Each imports its backend, so only the one in use may be imported.
    name = keras.backend.backend()
    if name == "tensorflow":
        from modelkb_callbacks.frameworks.on_tensorflow import TensorFlowFramework

        return TensorFlowFramework()
    if name == "jax":
        from modelkb_callbacks.frameworks.on_jax import JaxFramework

        return JaxFramework()
    if name == "torch":
        from modelkb_callbacks.frameworks.on_torch import TorchFramework

        return TorchFramework()
    raise NotImplementedError(f"Keras backend {name!r}; known are tensorflow, jax and torch")
