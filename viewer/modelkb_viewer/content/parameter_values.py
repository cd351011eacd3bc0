"""The values of one hyperparameter, with their types as recorded."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.compute as pc

from modelkb_store import Store
from modelkb_viewer.content.filters import Value


def parameter_values(store: Store, project: str, name: str) -> dict[str, Value]:
    """Return the value that each experiment has, by the experiment's id.

    In a listing a column has one type; here ``8`` and ``"auto"`` are as they were recorded.
    """
    rows = store.table("hyperparameters", project, ["experiment_id", "name", "value"])
    rows = rows.filter(pc.equal(rows["name"], name))
    ids, texts = rows["experiment_id"].to_pylist(), rows["value"].to_pylist()
    decoded = {text: json.loads(text) for text in set(texts)}
    return {each: decoded[text] for each, text in zip(ids, texts, strict=True)}


def most_frequent_first(values: dict[str, Value]) -> list[Value]:
    """Return the different values, those of most experiments first."""
    texts = Counter(json.dumps(value) for value in values.values())
    return [json.loads(text) for text, _ in texts.most_common()]
