"""What a loss says of the task: the form of its labels and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from modelkb_callbacks.snake_case import snake_case

Family = Literal["sparse", "categorical", "binary", "hinge", "regression"]

_FAMILIES: dict[str, Family] = {
    "sparse_categorical_crossentropy": "sparse",
    "categorical_generalized_cross_entropy": "sparse",
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "categorical_hinge": "categorical",
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "bce": "binary",
    "hinge": "hinge",
    "squared_hinge": "hinge",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
    "mean_absolute_percentage_error": "regression",
    "mean_squared_logarithmic_error": "regression",
    "mse": "regression",
    "mae": "regression",
    "mape": "regression",
    "msle": "regression",
    "huber": "regression",
    "huber_loss": "regression",
    "log_cosh": "regression",
    "logcosh": "regression",
    "poisson": "regression",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of one output.

    Attributes:
        family: The form of labels and predictions; None where it has to be seen from them.
        from_logits: Whether predictions are logits rather than probabilities.
    """

    family: Family | None = None
    from_logits: bool = False


def loss_of_output(model: Any, name: str, index: int) -> Loss | None:
    """Return what is known of the loss of one output; None if it is trained on none."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        loss = loss.get(name)
    elif isinstance(loss, (list, tuple)):
        loss = loss[index] if index < len(loss) else None
    if loss is None and getattr(model, "loss", None) is not None:
        return None
    family = _FAMILIES.get(_loss_name(loss))
    if family == "regression" and _counts_right_answers(model):
        family = None  # a classifier trained on squared errors: the labels will tell
    return Loss(family, bool(getattr(loss, "from_logits", False)))


def _loss_name(loss: Any) -> str:
    if isinstance(loss, str):
        name = loss
    elif isinstance(loss, type) or callable(getattr(loss, "fn", None)):
        # Keras' wrapper around a function, its own loss classes included.
        name = getattr(getattr(loss, "fn", None), "__name__", "")
    else:
        name = getattr(loss, "__name__", None) or type(loss).__name__
    return snake_case(name)


def _counts_right_answers(model: Any) -> bool:
    config = getattr(model, "_compile_config", None)
    metrics = getattr(config, "config", {}).get("metrics") if config is not None else None
    return "acc" in str(metrics).lower()
