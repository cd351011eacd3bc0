"""Experiments put together by the data that they were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from modelkb_store import Store
from modelkb_store.same_data import same_data

_MOST_DATASETS = 30


@dataclass(frozen=True)
class DataGroup:
    """Experiments on the same data.

    Attributes:
        dataset_id: The id of one of its datasets; empty where none was recorded.
        title: What it is, for people.
        experiment_ids: The experiments.
    """

    dataset_id: str
    title: str
    experiment_ids: tuple[str, ...]


def data_groups(store: Store, experiments: pd.DataFrame) -> list[DataGroup]:
    """Return the experiments by the samples that they were trained on, most first.

    Datasets are the same if they have one id, or if their fingerprints say so, in whatever order
    or container their samples came. Only the 30 most used are compared.

    Args:
        store: The store.
        experiments: Columns ``experiment_id`` and ``dataset_id``.
    """
    by_id = experiments.groupby(experiments["dataset_id"].fillna(""))["experiment_id"].agg(list)
    members: dict[str, list[str]] = {}
    described: dict[str, Mapping[str, Any]] = {}
    for dataset_id, ids in sorted(by_id.items(), key=lambda item: -len(item[1])):
        dataset: Mapping[str, Any] = {}
        if dataset_id and len(described) < _MOST_DATASETS:
            dataset = store.experiment(ids[0]).dataset()
        same = (each for each, known in described.items() if _are_same(known, dataset))
        home = next(same, str(dataset_id))
        members.setdefault(home, []).extend(ids)
        described.setdefault(home, dataset)
    groups = [
        DataGroup(each, dataset_title(each, described[each]), tuple(ids))
        for each, ids in members.items()
    ]
    return sorted(groups, key=lambda group: -len(group.experiment_ids))


def dataset_title(dataset_id: str, dataset: Mapping[str, Any]) -> str:
    """Return a dataset in a few words: kind, size and the beginning of its id."""
    if not dataset_id:
        return "Data not recorded"
    count = dataset.get("sample_count")
    size = "" if count is None else f", {count:,} samples"
    kind = str(dataset.get("kind") or "dataset").replace("_", " ")
    return f"{kind.capitalize()}{size} ({dataset_id[:8]})"


def _are_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return bool(first) and bool(second) and same_data(dict(first), dict(second)) is True
