"""Keras on JAX: every step is compiled by XLA, so only batches are watched."""

from __future__ import annotations

from typing import Any

import jax

from modelkb_callbacks.frameworks import batch_tap
from modelkb_callbacks.frameworks.framework import BackendFacts, Framework, Phase, Reduce, Tap


class JaxFramework(Framework):
    """See :class:`Framework`."""

    def backend_facts(self) -> BackendFacts:
        devices = jax.devices()
        return BackendFacts(
            version=jax.__version__,
            gpus=tuple(device.device_kind for device in devices if device.platform == "gpu"),
        )

    def tap_predictions(self, model: Any, reduce: Reduce, *, untraced: bool) -> Tap | None:
        return None

    def tap_batches(self, model: Any, phase: Phase, *, untraced: bool) -> Tap | None:
        return batch_tap.tap_batches(model, phase)
