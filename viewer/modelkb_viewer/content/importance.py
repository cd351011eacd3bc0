"""How much of the differences in a metric goes with each hyperparameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.hyperparameter_values import Hyperparameter
from modelkb_viewer.content.value_groups import value_groups

FEWEST_RUNS = 10
_SHUFFLES = 200
_CHANCE = 0.95
_SEED = 0
_Numbers: TypeAlias = npt.NDArray[np.float64]


def importances(
    hyperparameters: Sequence[Hyperparameter], values: pd.Series, metric: str
) -> pd.DataFrame:
    """Return the importance of each hyperparameter, the largest first.

    Experiments are ranked by the metric, those that diverged (NaN) last. They are put into groups
    by the value of one hyperparameter (see :func:`value_groups`). The importance is the share of
    the variance of the ranks that lies between the groups, less what as many groups would show
    by chance: epsilon-squared of Kelley ("An unbiased correlation ratio measure", 1935), here on
    ranks as in the test of Kruskal and Wallis (1952). It is 0 where the hyperparameter tells
    nothing about the metric and 1 where it tells all, and takes any form of dependence on one
    hyperparameter, but not those that only two together show.

    To see what chance alone gives, the same is computed 200 times with the ranks shuffled
    (always in the same ways, so that a page stays as it is). Of each time the largest value of
    all hyperparameters counts, as of many one is always large (Westfall and Young, 1993).

    Args:
        hyperparameters: Their values are in the order of ``values``.
        values: The metric, one number per experiment.
        metric: Its name, which says whether more is better.

    Returns:
        Columns ``hyperparameter``, ``importance`` (0 to 1), ``chance`` (19 of 20 shuffles stay
        below; the same in all rows), ``groups`` (how many) and ``runs``. It is empty with fewer
        than 10 experiments, and where all have the same metric. A hyperparameter with more
        groups than half the experiments is left out: it would seem to tell all.
    """
    columns = ["hyperparameter", "importance", "chance", "groups", "runs"]
    nothing: pd.DataFrame = pd.DataFrame(columns=columns)
    ranks = ranks_of(values, metric)
    if len(ranks) < FEWEST_RUNS or np.ptp(ranks) == 0:
        return nothing
    random = np.random.default_rng(_SEED)
    shuffled = np.stack([ranks, *(random.permutation(ranks) for _ in range(_SHUFFLES))])
    rows = []
    largest = np.zeros(_SHUFFLES)
    for each in hyperparameters:
        codes = value_groups(each).cat.codes.to_numpy()
        groups = len(set(codes.tolist()))
        if 1 < groups <= len(ranks) // 2:
            found = epsilon_squared(shuffled, codes)
            largest = np.maximum(largest, found[1:])
            rows.append((each.name, float(found[0]), np.nan, groups, len(ranks)))
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(chance=np.quantile(largest, _CHANCE))
    in_order: pd.DataFrame = frame.sort_values(
        "importance", ascending=False, kind="stable", ignore_index=True
    )
    return in_order


def ranks_of(values: pd.Series, metric: str) -> _Numbers:
    """Return the place of each experiment from 1, the best; what diverged is last."""
    worse = -values if higher_is_better(metric) else values
    ranks: _Numbers = worse.rank(method="average", na_option="bottom").to_numpy("float64")
    return ranks


def epsilon_squared(values: _Numbers, codes: npt.NDArray[np.integer]) -> _Numbers:
    """Return the share of variance between groups, corrected for their number, from 0 to 1.

    Args:
        values: Of shape (repeats, runs).
        codes: The group of each run.
    """
    _, codes = np.unique(codes, return_inverse=True)
    members = np.eye(codes.max() + 1)[codes]
    runs, groups = members.shape
    centred = values - values.mean(axis=1, keepdims=True)
    total = (centred**2).sum(axis=1)
    between = ((centred @ members) ** 2 / members.sum(axis=0)).sum(axis=1)
    within = (total - between) / (runs - groups)
    share: _Numbers = np.clip((between - (groups - 1) * within) / total, 0, 1)
    return share
