"""The outputs of a model, each with its labels, in whatever structure they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from modelkb_callbacks.evaluation.loss import Loss, loss_of_output


class Outputs:
    """Pairs labels with predictions, output by output.

    Called with (y_true, y_pred), symbolic or not, it returns two flat lists, one item per
    output that has labels. Where the loss says that classes are meant, predictions become
    class numbers at once, so that a probability per class need not be brought to Python.

    Args:
        model: The compiled model.

    Attributes:
        names: The outputs' names, in the order of the lists; known after the first call.
        losses: Their losses.
        class_counts: Their numbers of classes, where predictions became class numbers.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.names: list[str] = []
        self.losses: list[Loss] = []
        self.class_counts: list[int | None] = []

    def __call__(self, y_true: Any, y_pred: Any) -> tuple[list[Any], list[Any]]:
        """Return labels and predictions of the outputs that have labels and a loss."""
        self.names, self.losses, self.class_counts = [], [], []
        all_labels, all_predictions = [], []
        for index, (name, labels, predictions) in enumerate(self._pairs(y_true, y_pred)):
            loss = loss_of_output(self._model, name, index)
            if labels is None or loss is None:
                continue
            width = _width(predictions)
            as_classes = loss.family in ("sparse", "categorical") and width > 1
            one_hot = as_classes and loss.family == "categorical"
            self.names.append(name)
            self.losses.append(loss)
            self.class_counts.append(width if as_classes else None)
            all_labels.append(keras.ops.argmax(labels, axis=-1) if one_hot else labels)
            all_predictions.append(
                keras.ops.argmax(predictions, axis=-1) if as_classes else predictions
            )
        return all_labels, all_predictions

    def _pairs(self, y_true: Any, y_pred: Any) -> Iterator[tuple[str, Any, Any]]:
        names = list(getattr(self._model, "output_names", None) or [])
        if isinstance(y_pred, dict):
            for index, name in enumerate(sorted(y_pred)):  # Keras' order of dictionaries
                yield str(name), _labels_of(y_true, name, index), y_pred[name]
        elif isinstance(y_pred, (list, tuple)):
            if len(names) != len(y_pred):
                names = [f"output_{index}" for index in range(len(y_pred))]
            for index, (name, predictions) in enumerate(zip(names, y_pred, strict=True)):
                yield name, _labels_of(y_true, name, index), predictions
        else:
            name = names[0] if names else "output"
            # The only output may go by any name.
            lone = isinstance(y_true, dict) and len(y_true) == 1
            labels = next(iter(y_true.values())) if lone else _labels_of(y_true, name, 0)
            yield name, labels, y_pred


def _labels_of(y_true: Any, name: Any, index: int) -> Any:
    if isinstance(y_true, dict):
        return y_true.get(name)
    if isinstance(y_true, (list, tuple)):
        return y_true[index] if index < len(y_true) else None
    return y_true


def _width(predictions: Any) -> int:
    shape = predictions.shape
    return int(shape[-1] or 0) if len(shape) > 1 else 1
