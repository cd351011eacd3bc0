"""Experiments put into groups by the value of a hyperparameter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from modelkb_viewer.content.hyperparameter_values import (
    NOT_SET,
    Hyperparameter,
    as_text,
    format_number,
)

# Between the ends of a range of numbers.
RANGE = " to "
_MOST_NUMBERS = 5
_MOST_RANGES = 4
_FEWEST_IN_RANGE = 5


def value_groups(hyperparameter: Hyperparameter) -> pd.Series:
    """Return the group of each experiment.

    Of a number with up to 5 different values, and of texts, each value is a group. Other numbers
    are put into up to 4 ranges with about as many experiments each, and at least 5. Those without
    a value are a group of their own.

    Returns:
        An ordered categorical of what people read, such as ``0.001`` or ``0.001 to 0.02``;
        small numbers come first, and what is not set last.
    """
    values = hyperparameter.values
    if not hyperparameter.is_numeric:
        texts = values.map(as_text)
        return _categorical(texts, sorted(set(texts) - {NOT_SET}))
    known = values.dropna()
    different = sorted(known.unique())
    if len(different) <= _MOST_NUMBERS:
        return _categorical(values.map(as_text), [as_text(number) for number in different])
    ranges = int(np.clip(len(known) // _FEWEST_IN_RANGE, 2, _MOST_RANGES))
    codes = pd.qcut(known, ranges, labels=False, duplicates="drop")
    names: dict[int, str] = {}
    for code, members in known.groupby(codes):
        low, high = format_number(members.min()), format_number(members.max())
        names[int(code)] = low if low == high else f"{low}{RANGE}{high}"
    groups = codes.map(names).reindex(values.index).fillna(NOT_SET)
    return _categorical(groups, [names[code] for code in sorted(names)])


def _categorical(groups: pd.Series, order: list[str]) -> pd.Series:
    # Numbers that look the same with 4 digits are one group.
    order = list(dict.fromkeys(order))
    if (groups == NOT_SET).any():
        order.append(NOT_SET)
    return groups.astype(pd.CategoricalDtype(order, ordered=True))
