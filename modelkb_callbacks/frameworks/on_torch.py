"""Keras on PyTorch: steps run eagerly, so predictions are seen as they are made."""

from __future__ import annotations

import base64
from contextlib import AbstractContextManager
from typing import Any

import torch

from modelkb_callbacks.frameworks import batch_tap
from modelkb_callbacks.frameworks.framework import (
    BackendFacts,
    Framework,
    Phase,
    Reduce,
    Tap,
    has_own,
    quietly,
    tap_of_kind,
)
from modelkb_callbacks.frameworks.step_watch import the_one_pair, watching
from modelkb_store.ids import canonical_json


class TorchFramework(Framework):
    """See :class:`Framework`."""

    def backend_facts(self) -> BackendFacts:
        count = torch.cuda.device_count()
        cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
        return BackendFacts(
            version=torch.__version__,
            gpus=tuple(torch.cuda.get_device_name(index) for index in range(count)),
            cuda_version=torch.version.cuda,
            cudnn_version=None if cudnn is None else str(cudnn),
            deterministic_ops=torch.are_deterministic_algorithms_enabled(),
            inter_op_threads=torch.get_num_interop_threads(),
            intra_op_threads=torch.get_num_threads(),
        )

    def tap_predictions(self, model: Any, reduce: Reduce, *, untraced: bool) -> Tap | None:
        if model.jit_compile or has_own(model, "make_test_function"):
            return None
        model.make_test_function()
        present = model.test_function
        known = tap_of_kind(present, _EagerTap)
        if known is not None:
            return known
        tap = _EagerTap(present, reduce)
        tap.model = model
        model.test_function = tap
        return tap

    def keeping_random_state(self) -> AbstractContextManager[Any]:
        # Every data loader draws a seed for its workers.
        context: AbstractContextManager[Any] = torch.random.fork_rng()
        return context

    def random_states(self) -> dict[str, str]:
        states = {"torch.cpu": torch.get_rng_state()}
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            for index, state in enumerate(torch.cuda.get_rng_state_all()):
                states[f"torch.cuda:{index}"] = state
        return {name: _as_base64(state) for name, state in states.items()}

    def without_gradients(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = torch.no_grad()
        return context

    def tap_batches(self, model: Any, phase: Phase, *, untraced: bool) -> Tap | None:
        return batch_tap.tap_batches(model, phase)


def _as_base64(state: Any) -> str:
    """Return a tensor of bytes as JSON."""
    return canonical_json(base64.b64encode(state.numpy().tobytes()).decode("ascii"))


class _EagerTap(Tap):
    """Watches the step while it runs."""

    model: Any

    def __call__(self, *args: Any) -> Any:
        reduce = self.reduce
        if not self.watchers or reduce is None:
            return self._function(*args)
        with watching(self.model) as seen:
            logs = self._function(*args)
        shown = quietly(lambda: reduce(*the_one_pair(seen)))
        if shown is not None:
            self.show(*shown)
        return logs
