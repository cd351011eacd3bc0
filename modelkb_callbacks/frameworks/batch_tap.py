"""Batches on backends where Python hands them to the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelkb_callbacks.frameworks.framework import Phase, Tap, has_own, quietly


class BatchTap(Tap):
    """Shows the batches among a step's arguments before it runs.

    Args:
        function: The function it stands for; its last argument is a list of batches.
    """

    def __call__(self, *args: Any) -> Any:
        """Run a step."""
        for data in args[-1] if self.show is not None else ():
            shown = quietly(lambda data=data: self.flatten_batch(data))  # type: ignore[misc]
            if self.show is not None and shown is not None:
                self.show(*shown)
        return self._function(*args)


def tap_batches(model: Any, phase: Phase) -> Tap | None:
    """Put a tap on the model's train or test function; see :meth:`Framework.tap_batches`."""
    if has_own(model, f"make_{phase}_function"):
        return None
    getattr(model, f"make_{phase}_function")()
    present: Callable[..., Any] = getattr(model, f"{phase}_function")
    if isinstance(present, BatchTap):
        return present
    tap = BatchTap(present)
    setattr(model, f"{phase}_function", tap)
    return tap
