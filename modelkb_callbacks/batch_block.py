"""Metrics of batches by column, as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelkb_callbacks.logged_metrics import as_number, split_and_metric

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
        times = [int(second * 1e6) for second in self.seconds]
        for name, values in self.metrics.items():
            split, metric = split_and_metric(name)
            yield {
                "experiment_id": experiment_id,
                "epoch": self.epoch,
                "step": self.steps,
                "split": split,
                "metric": metric,
                "value": values,
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
    block: BatchBlock | None = None
    for batch, seconds, logs in batches:
        numbers = _numbers(logs or {})
        if not numbers:
            continue
        if block is None or block.metrics.keys() != numbers.keys():
            if block is not None:
                yield block
            block = BatchBlock(epoch, [], [], {name: [] for name in numbers})
        block.steps.append(first_step + batch + 1)
        block.seconds.append(seconds)
        for name, column in block.metrics.items():
            column.append(numbers[name])
    if block is not None:
        yield block


def _numbers(logs: Mapping[str, Any]) -> Mapping[str, float]:
    """Return what is a number; mostly these are the logs themselves."""
    if all(type(value) is float for value in logs.values()):
        return logs
    numbers = {name: as_number(value) for name, value in logs.items()}
    return {name: number for name, number in numbers.items() if number is not None}
