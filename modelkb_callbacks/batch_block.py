"""Metrics of batches by column, as they are written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelkb_callbacks.logged_metrics import as_number, split_and_metric
from modelkb_store.log.entry import packed

EndedBatch = tuple[int, float, Mapping[str, Any] | None]
"""A batch's number in its epoch, when it ended (seconds since 1970), and Keras' logs of it."""


@dataclass(frozen=True, slots=True)
class BatchBlock:
    """Batches of one epoch, one after another, that have the same metrics.

    Attributes:
        epoch: The epoch, from 0.
        steps: How many steps the optimizer had taken at the end of each batch.
        seconds: When each batch ended, since 1970.
        metrics: The values by the names of Keras' logs, each as long as :attr:`steps`.
    """

    epoch: int
    steps: list[int]
    seconds: list[float]
    metrics: dict[str, list[float]]

    def columns(self, experiment_id: str) -> Iterator[dict[str, Any]]:
        """Yield the columns of ``batch_metrics`` for each metric; one value stands for all rows."""
        steps = packed(self.steps, "<i8")
        times = packed([int(second * 1e6) for second in self.seconds], "<i8")
        for name, values in self.metrics.items():
            split, metric = split_and_metric(name)
            yield {
                "experiment_id": experiment_id,
                "epoch": self.epoch,
                "step": steps,
                "split": split,
                "metric": metric,
                "value": packed(values, "<f8"),
                "wall_time": times,
            }


def batch_blocks(
    batches: Iterable[EndedBatch], *, epoch: int, first_step: int
) -> Iterator[BatchBlock]:
    """Put batches together that have the same metrics; what is no number is left out.

    Args:
        batches: Batches of one epoch in their order.
        epoch: The epoch, from 0.
        first_step: How many steps the optimizer had taken before batch 0.
    """
    for names, group in itertools.groupby(batches, lambda ended: tuple(ended[2] or ())):
        ended = list(group)
        columns = {name: [(logs or {})[name] for _, _, logs in ended] for name in names}
        if not all(set(map(type, column)) == {float} for column in columns.values()):
            yield from _blocks_of_numbers(ended, epoch, first_step)
        elif names:
            steps = [first_step + batch + 1 for batch, _, _ in ended]
            yield BatchBlock(epoch, steps, [seconds for _, seconds, _ in ended], columns)


def _blocks_of_numbers(
    batches: Iterable[EndedBatch], epoch: int, first_step: int
) -> Iterator[BatchBlock]:
    """Do the same where some values are numbers of another kind, or none."""
    told = [
        (batch, seconds, {name: as_number(value) for name, value in (logs or {}).items()})
        for batch, seconds, logs in batches
    ]
    numbers = [
        (batch, seconds, {name: value for name, value in logs.items() if value is not None})
        for batch, seconds, logs in told
    ]
    return batch_blocks(numbers, epoch=epoch, first_step=first_step)
