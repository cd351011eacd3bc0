"""Prints how fast experiments are listed and chosen, from tables that are in memory.

Run it with ``python benchmarks/query_speed.py [EXPERIMENTS]``.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.listing import list_experiments
from modelkb_store.queries.selection import select_experiments
from modelkb_store.schemas import PARTITIONING, SCHEMAS

_PARAMETERS, _METRICS, _LAYERS = 20, 10, 20
_QUERIES = [
    "params.p3 > 500",
    "metrics.val_m4.best < 0.001",
    "params.p0 = 'adam' and not (metrics.m1 > 0.5 or name like 'run-1%')",
    "'baseline' in tags and started_at >= '2026-11-01'",
    "has(Conv2D(filters >= 64) -> BatchNormalization)",
    "has(Conv2D ->> Dense(units > 16))",
    "count(Conv2D) > 5 and model.depth > 10",
]


class _Tables:
    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        rows = self._tables[table]
        for name, values in (where or {}).items():
            kind = rows.schema.field(name).type
            rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(list(values), kind)))
        return rows if columns is None else rows.select(columns)


def main() -> None:
    """Measure, and print the best of three times each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    tables = _tables(count)
    _show(f"list {count} experiments", lambda: list_experiments(tables))
    _show("the same as pandas", lambda: list_experiments(tables).to_pandas())
    for query in _QUERIES:
        chosen = select_experiments(tables, where=query, limit=20)
        _show(
            f"{query}  ({chosen.num_rows} rows)",
            lambda query=query: select_experiments(tables, where=query, limit=20),
        )


def _show(what: str, work: Callable[[], Any]) -> None:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    print(f"{min(times) * 1e3:9.1f} ms  {what}")


def _tables(count: int) -> _Tables:
    rng = np.random.default_rng(1)
    ids = np.array([f"20261101-{n:09d}-{n * 7919 % (1 << 40):010x}" for n in range(count)])
    architectures = np.array([f"{n:032x}" for n in range(count)])
    experiments = {
        "project": np.full(count, "digits"),
        "experiment_id": ids,
        "name": [f"run-{n}" for n in range(count)],
        "status": np.full(count, "finished"),
        "started_at": 1793491200_000000 + np.arange(count) * 60_000000,
        "tags": [["baseline"] if n % 3 else [] for n in range(count)],
        "architecture_id": architectures,
    }
    names = [f"p{n}" for n in range(_PARAMETERS)]
    values = [json.dumps("adam" if n % 3 else "sgd") for n in range(count)]
    for number in range(1, _PARAMETERS):
        drawn = rng.random(count) * 1000
        values += [repr(value) for value in (drawn.astype(int) if number % 2 else drawn).tolist()]
    hyperparameters = {
        "experiment_id": np.tile(ids, _PARAMETERS),
        "name": np.repeat(names, count),
        "value": values,
    }
    rows = count * _METRICS
    numbers = {name: rng.random(rows) for name in ("first", "last", "min", "max")}
    summaries = {
        "experiment_id": np.tile(ids, _METRICS),
        "split": np.repeat(["train", "validation"], rows // 2),
        "metric": np.repeat([f"m{n}" for n in range(_METRICS // 2)] * 2, count),
        **numbers,
    }
    return _Tables(
        {
            "experiments": _table("experiments", experiments),
            "hyperparameters": _table("hyperparameters", hyperparameters),
            "metric_summaries": _table("metric_summaries", summaries),
            "layers": _table("layers", _layers(architectures.tolist())),
        }
    )


def _layers(architectures: list[str]) -> dict[str, Any]:
    rng = random.Random(1)
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("architecture_id", "position", "path", "name", "class_name", "inbound")
    }
    columns["config"] = []
    for architecture in architectures:
        before: list[str] = []
        for position in range(_LAYERS):
            kind = "InputLayer"
            if position:
                kind = rng.choice(["Conv2D", "BatchNormalization", "Dense", "Dropout"])
            name = f"{kind.lower()}_{position}"
            config = {"filters": rng.choice([16, 32, 64, 128]), "name": name, "units": 8 * position}
            for column, value in (
                ("architecture_id", architecture),
                ("position", position),
                ("path", name),
                ("name", name),
                ("class_name", kind),
                ("inbound", before),
                ("config", json.dumps(config, sort_keys=True)),
            ):
                columns[column].append(value)
            before = [name]
    return columns


def _table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    schema = SCHEMAS[name].insert(0, PARTITIONING.field("project"))
    count = len(next(iter(columns.values())))
    return pa.table(
        [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in schema
        ],
        schema=schema,
    )


if __name__ == "__main__":
    main()
