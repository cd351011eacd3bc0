"""Which experiment a model came out of before this one trained it further."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras

from modelkb_callbacks import active_recordings
from modelkb_callbacks.rows import spread_values
from modelkb_callbacks.saved_weights import has_weights
from modelkb_store.files.files import Files
from modelkb_store.trained_weights import find_trained
from modelkb_store.writer import ExperimentWriter

_READ_PER_VARIABLE = 64


class Lineage:
    """What becomes of a model's weights in one experiment.

    Attributes:
        has_trained: Whether it has changed them; known when it is over.
    """

    def __init__(self) -> None:
        self._initial: str | None = None
        self._is_known = False
        self.has_trained = False

    def begin(self, model: Any, files: Files) -> str | None:
        """Note the weights that the experiment begins with.

        Returns:
            The experiment that they, or a part of them, came out of, if one is known.
        """
        self.identify(model)
        return parent_of(model, self._initial, files)

    def identify(self, model: Any) -> None:
        """Note the weights, if there were none before: the model was not built."""
        if self._initial is None:
            self._initial = weights_id(model)
            self._is_known = True

    def end(self, model: Any, writer: ExperimentWriter, *, is_kept: bool) -> None:
        """Let other experiments find this one by its weights, if it changed them.

        Args:
            model: The model.
            writer: The experiment in the store.
            is_kept: Whether the weights are worth finding.
        """
        weights = weights_id(model)
        experiment = writer.experiment
        if weights is None or not self._is_known:
            return
        if self._initial is None:  # there were none
            self.has_trained = experiment.epochs_completed > 0
        else:
            self.has_trained = weights != self._initial
        if self.has_trained and is_kept:
            writer.add_trained_weights(weights)


def parent_of(model: Any, weights: str | None, files: Files) -> str | None:
    """Return the id of the experiment that trained this model, or a part of it.

    In this process the object itself tells, or its layers do. Otherwise its weights do:
    whichever way they were loaded, they are those that an experiment of this store ended
    with.

    Args:
        model: The model, about to be trained.
        weights: Its :func:`weights_id`.
        files: The store.
    """
    for part in (model, *_models_inside(model)):
        earlier = active_recordings.last_of_model(part)
        if earlier is not None and earlier.lineage.has_trained:
            return earlier.experiment_id
        of_part = weights if part is model else weights_id(part)
        found = None if of_part is None else find_trained(files, of_part)
        if found is not None:
            return found[1]
    return _parent_of_layers(model)


def trained_layers(model: Any) -> Iterator[Any]:
    """Yield the layers that training changes, each for its own weights; no frozen ones."""
    trainable = {id(variable) for variable in model.trainable_variables}
    for layer in model._flatten_layers():
        if any(id(variable) in trainable for variable in layer._trainable_variables):
            yield layer


def _parent_of_layers(model: Any) -> str | None:
    """Return the experiment that most of a model's weights come from, layer by layer.

    So it is found for a new head on the inner layers of a trained model.
    """
    sizes: Counter[str] = Counter()
    for layer in model._flatten_layers():
        earlier = active_recordings.last_of_layer(layer)
        if earlier is not None and earlier.experiment_id is not None:
            sizes[earlier.experiment_id] += sum(
                math.prod(variable.shape) for variable in layer._trainable_variables
            )
    return sizes.most_common(1)[0][0] if sizes else None


def weights_id(model: Any) -> str | None:
    """Return an id of a model's trainable weights, read from a part of each; None without.

    It is the same in another process, on another backend, for a model of other names, and
    for one that has been frozen.
    """
    variables = list(_weights_of(model)) if has_weights(model) else []
    if not variables:
        return None
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(repr(tuple(variable.shape)).encode())
        values = spread_values(variable, _READ_PER_VARIABLE)
        digest.update(values.astype("<f4").tobytes())
    return digest.hexdigest()[:32]


def _weights_of(model: Any) -> Iterator[Any]:
    """Yield what training can change, frozen or not: `trainable_weights` has no frozen ones."""
    for layer in model._flatten_layers():
        yield from layer._trainable_variables


def _models_inside(model: Any) -> Iterator[Any]:
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):
            yield layer
