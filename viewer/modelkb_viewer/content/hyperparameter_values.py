"""Hyperparameters of several experiments: which ones vary, and how they are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

NOT_SET = "(not set)"
_PREFIX = "params."
# Values that go over as many tens are drawn on a logarithmic axis.
_WIDE = 50.0


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter that several experiments have values of.

    Attributes:
        name: Such as ``learning_rate``.
        values: One per experiment, in their order: numbers (missing ones are NaN), or texts
            (missing ones are None).
        is_numeric: Whether there are two different numbers or more.
        is_wide: Whether its numbers are all above 0 and go over decades.
    """

    name: str
    values: pd.Series
    is_numeric: bool
    is_wide: bool = False


def varying_hyperparameters(experiments: pd.DataFrame) -> list[Hyperparameter]:
    """Return the hyperparameters that are not the same in all experiments, by name.

    A missing value is another one than any that is set. Of several that always have the same
    values, as a constant of the script and the argument that it is passed as, only one is given:
    if there is one the one without capitals. The architecture counts as a hyperparameter, by
    the beginning of its id, where it varies.

    Args:
        experiments: Columns ``params.NAME``, as of :meth:`Store.experiments`.
    """
    named = [name for name in experiments.columns if name.startswith(_PREFIX)]
    named.sort(key=lambda name: (name != name.lower(), name))
    found: dict[tuple[Any, ...], Hyperparameter] = {}
    for column in named:
        hyperparameter = as_hyperparameter(column.removeprefix(_PREFIX), experiments[column])
        values = tuple(as_text(value) for value in hyperparameter.values)
        if len(set(values)) > 1:
            found.setdefault(values, hyperparameter)
    architectures = experiments.get("architecture_id")
    if architectures is not None and architectures.nunique() > 1:
        short = architectures.map(lambda each: each[:8] if isinstance(each, str) else None)
        found[("architecture",)] = as_hyperparameter("architecture", short)
    return sorted(found.values(), key=lambda each: each.name)


def as_hyperparameter(name: str, column: pd.Series) -> Hyperparameter:
    """Return a column of values of any kind as numbers or texts."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.astype("float64").reset_index(drop=True)
        numbers = numbers.where(np.isfinite(numbers))
        if numbers.nunique() > 1:
            lowest, highest = float(numbers.min()), float(numbers.max())
            is_wide = lowest > 0 and highest / lowest >= _WIDE
            return Hyperparameter(name, numbers, is_numeric=True, is_wide=is_wide)
    texts = [None if is_missing(value) else as_text(value) for value in column]
    return Hyperparameter(name, pd.Series(texts, dtype="object"), is_numeric=False)


def is_missing(value: Any) -> bool:
    """Return whether a cell holds nothing."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def as_text(value: Any) -> str:
    """Return a value as it is shown: numbers short, truth values and lists as in JSON.

    Example:
        >>> as_text(0.0010000000474974513), as_text(3.0), as_text(None), as_text(True)
        ('0.001', '3', '(not set)', 'true')
    """
    if is_missing(value):
        return NOT_SET
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return format_number(float(value))
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value, default=str)


def format_number(number: float) -> str:
    """Return a number with 4 significant digits; whole ones with all of theirs.

    Example:
        >>> format_number(0.12345678), format_number(12345.0)
        ('0.1235', '12345')
    """
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.4g}"
