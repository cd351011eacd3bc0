"""Which values of hyperparameters go with the best results on a dataset."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.hyperparameter_values import Hyperparameter, format_number
from modelkb_viewer.content.importance import ranks_of
from modelkb_viewer.content.value_groups import RANGE, value_groups

_FEWEST_TO_NAME = 3
COLUMNS = ["hyperparameter", "value", "runs", "median", "best", "top_quarter"]


def what_works(
    hyperparameters: Sequence[Hyperparameter], values: pd.Series, metric: str
) -> pd.DataFrame:
    """Return how well experiments with each value of each hyperparameter did.

    Args:
        hyperparameters: Their values are in the order of ``values``.
        values: The metric, one number per experiment; NaN of one that diverged.
        metric: Its name, which says whether more is better.

    Returns:
        Columns ``hyperparameter``, ``value`` (or a range of numbers), ``runs``, ``median`` and
        ``best`` of the metric, and ``top_quarter``: the share of these runs that is among the
        best quarter of all. Of one hyperparameter the value with the best median comes first.
    """
    more = higher_is_better(metric)
    ranks = pd.Series(ranks_of(values, metric))
    numbers = values.reset_index(drop=True)
    quarter = math.ceil(len(numbers) / 4)
    # Those that are as good as the last of the quarter are in it, too.
    bound = ranks.sort_values().iloc[quarter - 1] if len(ranks) else 0.0
    is_top = (ranks <= bound) & numbers.notna()
    parts = []
    for each in hyperparameters:
        groups = value_groups(each).reset_index(drop=True)
        of_group = numbers.groupby(groups, observed=True)
        part = pd.DataFrame(
            {
                "hyperparameter": each.name,
                "runs": of_group.size(),
                "median": of_group.median(),
                "best": of_group.max() if more else of_group.min(),
                "top_quarter": is_top.groupby(groups, observed=True).mean(),
            }
        )
        part.insert(1, "value", part.index.astype(str))
        parts.append(part.sort_values("median", ascending=not more, kind="stable"))
    table: pd.DataFrame = pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts, ignore_index=True) if parts else table


def headline(found: pd.DataFrame, table: pd.DataFrame, runs: int, metric: str) -> str:
    """Return in a sentence what works best, or why that cannot be said.

    The hyperparameter is the most important one, if it tells more than chance; of its values the
    one with the best median among those with at least 3 runs.

    Args:
        found: As of :func:`modelkb_viewer.content.importance.importances`.
        table: As of :func:`what_works`, of the same runs.
        runs: How many they are.
        metric: The name of the metric.

    Example:
        >>> headline(found, table, 36, "val_accuracy")
        'optimizer adam: 12 runs, median val_accuracy 0.93; best of 3 values.'
    """
    if found.empty:
        return f"{runs} runs are too few, or too alike, to say what works best."
    first = found.iloc[0]
    if first["importance"] <= first["chance"]:
        return (
            f"Among these {runs} runs no hyperparameter stands out: the differences between its "
            "values may be chance."
        )
    of_first = table[table["hyperparameter"] == first["hyperparameter"]]
    known = of_first[of_first["runs"] >= _FEWEST_TO_NAME]
    if known.empty:
        return f"No value of {first['hyperparameter']} has {_FEWEST_TO_NAME} runs or more."
    best = known.iloc[0]
    return (
        f"{best['hyperparameter']} {best['value']}: {best['runs']} runs, median {metric} "
        f"{format_number(best['median'])}; best of {len(of_first)} {_groups_word(of_first)}."
    )


def _groups_word(table: pd.DataFrame) -> str:
    return "ranges" if table["value"].str.contains(RANGE, regex=False).any() else "values"
