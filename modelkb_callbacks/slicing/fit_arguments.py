"""Which arguments of a call of ``fit`` are data."""

from __future__ import annotations

import ast

from modelkb_callbacks.slicing.call_site import called_name

DATA_ARGUMENTS = ("x", "y", "validation_data", "sample_weight", "class_weight")

_FIT = (
    "x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split",
    "validation_data", "shuffle", "class_weight", "sample_weight",
)  # fmt: skip
_GENERATOR = (
    "x", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data",
    "validation_steps", "validation_freq", "class_weight",
)  # fmt: skip
_BATCH = ("x", "y", "sample_weight", "class_weight")
_OTHER_SPELLINGS = {"generator": "x"}


def positions(call: ast.Call) -> tuple[str, ...]:
    """Return the names of a call's positional arguments."""
    name = called_name(call)
    if name.endswith("fit_generator"):
        return _GENERATOR
    return _BATCH if name.endswith("_on_batch") else _FIT


def named_arguments(call: ast.Call) -> dict[str, ast.expr]:
    """Return the data that a call is given by name or position, in the order of the call."""
    found: dict[str, ast.expr] = {}
    for name, value in zip(positions(call), call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        if name in DATA_ARGUMENTS:
            found[name] = value
    for each in call.keywords:
        name = _OTHER_SPELLINGS.get(each.arg or "", each.arg or "")
        if name in DATA_ARGUMENTS:
            found[name] = each.value
    return found


def starred_arguments(call: ast.Call) -> tuple[list[ast.expr], list[ast.expr]]:
    """Return what a call gives by ``*`` (with what comes after it) and by ``**``."""
    stars: list[ast.expr] = []
    for value in call.args:
        if stars or isinstance(value, ast.Starred):
            stars.append(value)
    return stars, [each.value for each in call.keywords if each.arg is None]
