"""What is known of the data that an experiment was trained and validated on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from modelkb_store import Experiment

SPLITS = {"train": "Training data", "validation": "Validation data"}
_SCOPES = {
    "all": "every sample",
    "rows": "rows spread evenly over it",
    "epoch": "the batches of the first epoch",
    "part": "a part of the batches of the first epoch",
}


def data_facts(dataset: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of one dataset, as short texts by what they say.

    Args:
        dataset: Of :meth:`modelkb_store.Experiment.dataset`.
    """
    if not dataset:
        return {}
    names = dataset["class_names"]
    scope = _SCOPES.get(dataset["fingerprint_scope"] or "", "")
    facts = {
        "Kind": dataset["kind"],
        "Samples": _count(dataset["sample_count"]),
        "Batches": _count(dataset["batch_count"]),
        "Where it came from": _sources(dataset["source"]),
        "Classes": ", ".join(names) if names else "",
        "Fingerprint": dataset["fingerprint"] or "",
        "Fingerprint of": ", ".join(filter(None, [_samples(dataset), scope])),
        "Dataset id": dataset["dataset_id"],
    }
    return {name: text for name, text in facts.items() if text}


def data_arrays(dataset: Mapping[str, Any]) -> pd.DataFrame:
    """Return inputs and targets, one row each: name, shape, dtype and range."""
    rows = []
    for role, column in (("Input", "inputs"), ("Target", "targets")):
        for number, each in enumerate(_decoded(dataset.get(column))):
            shape = each.get("shape")
            rows.append(
                {
                    "Role": role,
                    "Name": each.get("name") or f"{role.lower()} {number + 1}",
                    "Shape": "" if shape is None else f"({', '.join(map(_axis, shape))})",
                    "Dtype": each.get("dtype") or "",
                    "Smallest": each.get("min"),
                    "Largest": each.get("max"),
                }
            )
    columns = ["Role", "Name", "Shape", "Dtype", "Smallest", "Largest"]
    arrays: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return arrays


def class_counts(experiment: Experiment) -> pd.DataFrame:
    """Return how many samples each class has: columns ``class``, ``data`` and ``count``."""
    rows = []
    for split, title in SPLITS.items():
        dataset = experiment.dataset(split)
        counts = dataset.get("class_counts") or []
        names = dataset.get("class_names") or []
        if len(names) != len(counts):
            names = [str(number) for number in range(len(counts))]
        rows += [
            {"place": place, "class": name, "data": title, "count": count}
            for place, (name, count) in enumerate(zip(names, counts, strict=True))
        ]
    counts_of_all: pd.DataFrame = pd.DataFrame(rows, columns=["place", "class", "data", "count"])
    return counts_of_all


def _decoded(text: str | None) -> list[dict[str, Any]]:
    found = json.loads(text) if text else []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _sources(text: str | None) -> str:
    parts = []
    for each in _decoded(text):
        told = [each.get("name"), each.get("source")]
        known = ", ".join(str(part) for part in told if part)
        parts.append(f"{each.get('loader')}" + (f" ({known})" if known else ""))
    return "; ".join(parts)


def _samples(dataset: Mapping[str, Any]) -> str:
    count = dataset["fingerprint_sample_count"]
    return "" if count is None else f"{count:,} samples"


def _axis(size: int | None) -> str:
    return "any" if size is None else str(size)


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
