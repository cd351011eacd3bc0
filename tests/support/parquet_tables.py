"""The tables of a store as plain Parquet files, written and read without our own writer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from modelkb_store.schemas import SCHEMAS

BEGIN = datetime(2026, 11, 1, 10, tzinfo=timezone.utc)


class ParquetTables:
    """Reads as ``Tables`` does, from files that it is given.

    Args:
        root: The folder for the files.
        encoded: Whether texts are read as dictionaries.
    """

    def __init__(self, root: Path, *, encoded: bool = False) -> None:
        self.root = root
        self.encoded = encoded
        self.reads: list[tuple[str, Any, Any]] = []
        self._numbers = itertools.count()

    def write(self, table: str, rows: Iterable[Mapping[str, Any]], project: str = "digits") -> None:
        """Write rows; columns that a row lacks are null."""
        schema = SCHEMAS[table]
        folder = self.root / table / f"project={project}"
        folder.mkdir(parents=True, exist_ok=True)
        filled = [{name: row.get(name) for name in schema.names} for row in rows]
        content = pa.Table.from_pylist(filled, schema=schema)
        pq.write_table(content, folder / f"{next(self._numbers)}.parquet")

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        self.reads.append((table, columns, where))
        schema = SCHEMAS[table].insert(0, pa.field("project", pa.string()))
        names = list(columns or schema.names)
        files = sorted((self.root / table).rglob("*.parquet"))
        if not files:
            return schema.empty_table().select(names)
        texts = [field.name for field in SCHEMAS[table] if field.type == pa.string()]
        rows = ds.dataset(
            [str(file) for file in files],
            format=ds.ParquetFileFormat(dictionary_columns=texts if self.encoded else []),
            partitioning=ds.partitioning(pa.schema([("project", pa.string())]), flavor="hive"),
            partition_base_dir=str(self.root / table),
        )
        chosen = ds.scalar(True)
        for column, values in (where or {}).items():
            chosen &= ds.field(column).isin(pa.array(list(values), pa.string()))
        if project is not None:
            chosen &= ds.field("project") == project
        return rows.to_table(names, filter=chosen)


def experiment_id(number: int) -> str:
    """Return an id; later numbers sort later."""
    return f"20261101-10{number:02d}00000-{number * 7919 + 255:010x}"


def add_experiment(
    tables: ParquetTables,
    number: int,
    *,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[tuple[str, str], Sequence[float]] | None = None,
    project: str = "digits",
    **columns: Any,
) -> str:
    """Write an experiment with hyperparameters (as JSON texts) and curves; returns its id."""
    whole = experiment_id(number)
    row = {
        "experiment_id": whole,
        "name": f"run-{number}",
        "owner": "sibylle",
        "status": "finished",
        "started_at": BEGIN + timedelta(days=number),
        "duration_seconds": 60.0 * number,
        "epochs_completed": 3,
        "tags": [],
        "notes": "",
        "problems": [],
        **columns,
    }
    tables.write("experiments", [row], project)
    if params:
        rows = [
            {"experiment_id": whole, "name": name, "value": value, "source": "user"}
            for name, value in params.items()
        ]
        tables.write("hyperparameters", rows, project)
    for (split, metric), values in (metrics or {}).items():
        _add_curve(tables, whole, split, metric, values, project)
    return whole


def _add_curve(
    tables: ParquetTables,
    whole: str,
    split: str,
    metric: str,
    values: Sequence[float],
    project: str,
) -> None:
    of_curve = {"experiment_id": whole, "split": split, "metric": metric}
    known = [value for value in values if not math.isnan(value)]
    summary = {
        "count": len(values),
        "first": values[0],
        "last": values[-1],
        "min": min(known, default=None),
        "max": max(known, default=None),
    }
    tables.write("metric_summaries", [{**of_curve, **summary}], project)
    points = [{**of_curve, "epoch": epoch, "value": value} for epoch, value in enumerate(values)]
    tables.write("metrics", points, project)
