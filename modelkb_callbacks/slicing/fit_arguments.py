"""Which arguments of a call of ``fit`` are data, and which of ``evaluate`` are kept."""

from __future__ import annotations

import ast

from modelkb_callbacks.slicing.call_site import called_name

DATA_ARGUMENTS = ("x", "y", "validation_data", "sample_weight", "class_weight")
CALLBACKS = "callbacks"

_FIT = (
    "x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split",
    "validation_data", "shuffle", "class_weight", "sample_weight",
)  # fmt: skip
_GENERATOR = (
    "x", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data",
    "validation_steps", "validation_freq", "class_weight",
)  # fmt: skip
_BATCH = ("x", "y", "sample_weight", "class_weight")
_EVALUATE = (
    "x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks", "return_dict",
)  # fmt: skip
_OTHER_SPELLINGS = {"generator": "x"}


def positions(call: ast.Call) -> tuple[str, ...]:
    """Return the names of a call's positional arguments."""
    name = called_name(call)
    if name == "evaluate":
        return _EVALUATE
    if name.endswith("fit_generator"):
        return _GENERATOR
    return _BATCH if name.endswith("_on_batch") else _FIT


def named_arguments(call: ast.Call) -> dict[str, ast.expr]:
    """Return the data that a call is given by name or position, in the order of the call."""
    return {name: value for name, value in _given(call).items() if name in DATA_ARGUMENTS}


def evaluate_arguments(call: ast.Call) -> dict[str, ast.expr]:
    """Return what a call of ``evaluate`` is given, but for callbacks, which watch only."""
    return {name: value for name, value in _given(call).items() if name != CALLBACKS}


def _given(call: ast.Call) -> dict[str, ast.expr]:
    """Return what a call is given by name or position, in the order of the call."""
    found: dict[str, ast.expr] = {}
    for name, value in zip(positions(call), call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        found[name] = value
    for each in call.keywords:
        if each.arg is not None:
            found[_OTHER_SPELLINGS.get(each.arg, each.arg)] = each.value
    return found


def starred_arguments(call: ast.Call) -> tuple[list[ast.expr], list[ast.expr]]:
    """Return what a call gives by ``*`` (with what comes after it) and by ``**``."""
    stars: list[ast.expr] = []
    for value in call.args:
        if stars or isinstance(value, ast.Starred):
            stars.append(value)
    return stars, [each.value for each in call.keywords if each.arg is None]
