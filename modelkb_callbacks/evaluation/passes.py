"""What a pass over labels and predictions has shown, and for which weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from modelkb_callbacks.evaluation.outputs import Outputs
from modelkb_callbacks.evaluation.tally import Tally
from modelkb_callbacks.evaluation.task import new_tally
from modelkb_callbacks.rows import spread_values, to_numpy

_READ_PER_VARIABLE = 1024


class OutputTallies:
    """The tallies of all outputs over one pass.

    Args:
        outputs: Pairs labels with predictions, and knows the losses.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self.tallies: dict[str, Tally] = {}

    @property
    def bytes(self) -> int:
        """How much memory the tallies take."""
        return sum(tally.bytes for tally in self.tallies.values())

    def add(self, labels: list[Any], predictions: list[Any]) -> None:
        """Count a batch in, as the :class:`Outputs` have prepared it.

        Raises:
            CannotEvaluateError: There are no figures for an output of this kind.
        """
        outputs = self._outputs
        for index, name in enumerate(outputs.names):
            true, predicted = to_numpy(labels[index]), to_numpy(predictions[index])
            if name not in self.tallies:
                loss, classes = outputs.losses[index], outputs.class_counts[index]
                self.tallies[name] = new_tally(loss, classes, true, predicted)
            self.tallies[name].add(true, predicted)


@dataclass(frozen=True)
class ValidationPass:
    """What one of Keras' validation passes has shown, and for which weights."""

    epoch: int
    weights: str
    tallies: OutputTallies


def fingerprint_weights(model: Any) -> str:
    """Return a short text that changes when the weights do, read from a part of each.

    It tells whether the model still has, or has again (``EarlyStopping`` restores its best
    ones), the weights of a validation pass.
    """
    digest = hashlib.blake2b(digest_size=16)
    for variable in model.weights:
        digest.update(spread_values(variable, _READ_PER_VARIABLE).tobytes())
    return digest.hexdigest()
