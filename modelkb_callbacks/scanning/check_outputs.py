"""Warnings of a loss or metric that contradicts the model's output or the labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from modelkb_callbacks.scanning import compile_calls, fit_calls
from modelkb_callbacks.scanning.checks import Concern
from modelkb_callbacks.scanning.findings import Event, Findings
from modelkb_callbacks.scanning.origins import CHANGED, ONE_HOT, PART, DataPart
from modelkb_callbacks.scanning.outputs import Loss, Output, loss_of, output_of_network, snake
from modelkb_callbacks.scanning.values import Constant, Items, Made, Network, Value, origins_of

_CATEGORICAL = ("categorical_crossentropy", "sparse_categorical_crossentropy")
_CROSSENTROPIES = ("binary_crossentropy", *_CATEGORICAL)
_REGRESSIONS = {
    "huber",
    "log_cosh",
    "logcosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
}
_CLASS_NUMBERS = ("cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters")


def check_outputs(findings: Findings) -> Iterator[Concern]:
    """Check each ``compile`` on a model whose layers are known, and its ``fit``."""
    for event in findings.compiles:
        argument = compile_calls.argument_of(event, "loss")
        loss = loss_of(argument.value) if argument is not None else None
        if event.is_shadow or loss is None or argument is None:
            continue
        if isinstance(event.receiver, Network):
            output = output_of_network(event.receiver, findings)
            if output is not None:
                yield from _check_activation(loss, output, argument.node)
                yield from _check_logits(loss, output, argument.node)
            yield from _check_metrics(event, loss, output)
            yield from _check_labels(event.receiver, loss, findings)


def _check_activation(loss: Loss, output: Output, node: ast.expr) -> Iterator[Concern]:
    message = None
    if output.activation == "softmax" and output.units == 1:
        message = "softmax over one unit is always 1: use sigmoid, or more units"
    elif loss.name in _CATEGORICAL and output.activation == "sigmoid" and output.units == 1:
        message = f"{loss.name} needs one output for each class, but the model has one sigmoid"
    elif loss.name == "binary_crossentropy" and output.activation == "softmax":
        if output.units is not None and output.units > 1:
            message = (
                f"binary_crossentropy takes each of {output.units} softmax outputs for a "
                "question of its own: use categorical_crossentropy, or sigmoid"
            )
    elif loss.name in _CROSSENTROPIES and output.activation in ("relu", "tanh"):
        message = f"{loss.name} needs probabilities, but the last layer has {output.activation}"
    if message is not None:
        yield Concern("loss-activation", message, node)


def _check_logits(loss: Loss, output: Output, node: ast.expr) -> Iterator[Concern]:
    if loss.name not in _CROSSENTROPIES:
        return
    if loss.from_logits and output.activation in ("softmax", "sigmoid"):
        yield Concern(
            "from-logits",
            f"{loss.name} is told from_logits=True, but the last layer has {output.activation}",
            node,
        )
    if loss.from_logits is False and output.activation == "linear":
        yield Concern(
            "from-logits",
            f"the last layer has no activation, but {loss.name} is not told from_logits=True",
            node,
        )


def _check_metrics(event: Event, loss: Loss, output: Output | None) -> Iterator[Concern]:
    argument = compile_calls.argument_of(event, "metrics")
    value = argument.value if argument is not None else None
    if argument is None or not isinstance(value, Items):
        return
    for item in value.items:
        name = _metric(item.value)
        reason = _misfit(item.value, name, loss, output) if name is not None else None
        if reason is not None:
            yield Concern("metric-task", reason, argument.node)


def _metric(value: Value) -> str | None:
    loss = loss_of(value)
    if loss is not None:
        return {"acc": "accuracy"}.get(loss.name, loss.name)
    if isinstance(value, Made) and value.name.startswith("keras.metrics."):
        return snake(value.name.rpartition(".")[2])
    return None


def _misfit(value: Value, name: str, loss: Loss, output: Output | None) -> str | None:
    if isinstance(value, Made) and name == "accuracy" and loss.name in _CROSSENTROPIES:
        return (
            "keras.metrics.Accuracy counts outputs that equal the label exactly, which "
            "probabilities do not: use 'accuracy'"
        )
    one_number = output is not None and output.units == 1
    free = output is not None and output.activation in ("linear", "relu")
    if name == "accuracy" and loss.name in _REGRESSIONS and one_number and free:
        return f"accuracy says nothing of a regression by {loss.name}"
    other = {
        "sparse_categorical_crossentropy": "categorical_accuracy",
        "categorical_crossentropy": "sparse_categorical_accuracy",
    }
    if other.get(loss.name) == name:
        return f"{name} and {loss.name} need labels of different forms"
    errors = {"mean_absolute_error"} | (
        {"mean_squared_error"} if loss.name == "sparse_categorical_crossentropy" else set()
    )
    if loss.name in _CATEGORICAL and name in errors:
        return f"{name} says nothing of a classification by {loss.name}"
    return None


def _check_labels(network: Network, loss: Loss, findings: Findings) -> Iterator[Concern]:
    if loss.name not in _CATEGORICAL or len(_losses(network, findings)) != 1:
        return
    for event in findings.fits:
        argument = fit_calls.argument_of(event, "y")
        if event.receiver is not network or event.is_shadow or argument is None:
            continue
        if fit_calls.called(event) != "fit":
            continue
        origins = origins_of(argument.value)
        is_sparse = loss.name.startswith("sparse")
        if CHANGED in origins or isinstance(argument.value, Constant):
            continue
        if ONE_HOT in origins and is_sparse:
            message = f"{loss.name} needs class numbers, but the labels are one-hot"
            yield Concern("loss-labels", message, argument.node)
        elif ONE_HOT not in origins and not is_sparse:
            names = {_class_numbers(origin) for origin in origins if origin is not PART}
            if len(names) == 1 and None not in names:
                message = (
                    f"{loss.name} needs one-hot labels, but those of {names.pop()} are class "
                    "numbers: use to_categorical, or sparse_categorical_crossentropy"
                )
                yield Concern("loss-labels", message, argument.node)


def _losses(network: Network, findings: Findings) -> set[str | None]:
    losses = set()
    for event in findings.compiles:
        if event.receiver is network:
            argument = compile_calls.argument_of(event, "loss")
            loss = loss_of(argument.value) if argument is not None else None
            losses.add(loss.name if loss is not None else None)
    return losses


def _class_numbers(origin: object) -> str | None:
    """Return the dataset of Keras whose labels an origin is."""
    if not isinstance(origin, DataPart):
        return None
    parts = origin.loader.split(".")
    known = parts[0] == "keras" and origin.role == "y" and parts[-2] in _CLASS_NUMBERS
    return parts[-2] if known else None
