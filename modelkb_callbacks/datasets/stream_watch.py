"""Watches the batches that one epoch or validation pass consumes."""

from __future__ import annotations

from typing import Any

from modelkb_callbacks.datasets.batch_feed import BatchFeed
from modelkb_callbacks.datasets.class_counter import LabelForm
from modelkb_callbacks.datasets.data_profile import DataProfile
from modelkb_callbacks.frameworks.framework import Tap

_WHY_NOT_WATCHED = (
    "data that is not arrays cannot be watched with several replicas, with several steps in "
    "one execution, or once the model was trained or evaluated before; compile the model anew"
)


class StreamWatch:
    """Takes in batches between :meth:`begin` and :meth:`close`.

    Args:
        tap: Shows the batches; None where they cannot be seen.
        forms: What labels may be.

    Attributes:
        problem: Why nothing is known of the batches; known once it is closed.
    """

    def __init__(self, tap: Tap | None, forms: tuple[LabelForm, ...]) -> None:
        self._tap = tap
        self._profile = DataProfile(forms)
        self._feed = BatchFeed(self._profile.add)
        self.problem: str | None = None if tap is not None else _WHY_NOT_WATCHED

    @property
    def profile(self) -> DataProfile | None:
        """What was seen; None if it is nothing, or not all that was consumed."""
        return None if self.problem else self._profile

    @property
    def template(self) -> tuple[Any, Any]:
        """The structure of the batches' x and y."""
        template = None if self._tap is None else self._tap.batch_template
        return template or (None, None)

    def begin(self) -> None:
        """Take in what is consumed from now on."""
        if self._tap is not None:
            self._tap.watch(self._feed.put)

    def close(self) -> None:
        """Take in no more, and wait for what was consumed so far."""
        if self._tap is None:
            return
        self._tap.unwatch(self._feed.put)
        self._feed.close()
        self.problem = self._feed.problem
        if self.problem is None and not self._profile.batch_count:
            self.problem = "no batch of it was seen"
