"""Batches on backends where Python hands them to the step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from modelkb_callbacks.frameworks.framework import Phase, Tap, has_own, quietly, tap_of_kind


class BatchTap(Tap):
    """Shows the batches of a step's last argument, a list or an iterator, as they pass."""

    def __call__(self, *args: Any) -> Any:
        """Run a step."""
        if not self.watchers:
            return self._function(*args)
        *state, batches = args
        if isinstance(batches, (list, tuple)):
            for data in batches:
                self._show(data)
            return self._function(*state, batches)
        # The step takes from the iterator what it needs, and may end at its end.
        return self._function(*state, self._passing(batches))

    def _passing(self, batches: Iterator[Any]) -> Iterator[Any]:
        for data in batches:
            self._show(data)
            yield data

    def _show(self, data: Any) -> None:
        shown = quietly(lambda: self.flatten_batch(data))
        if shown is not None:
            self.show(*shown)


def tap_batches(model: Any, phase: Phase) -> Tap | None:
    """Put a tap on the model's train or test function; see :meth:`Framework.tap_batches`."""
    if has_own(model, f"make_{phase}_function"):
        return None
    getattr(model, f"make_{phase}_function")()
    present: Callable[..., Any] = getattr(model, f"{phase}_function")
    known = tap_of_kind(present, BatchTap)
    if known is not None:
        return known
    tap = BatchTap(present)
    setattr(model, f"{phase}_function", tap)
    return tap
