"""Tables that are held in memory, and a few experiments written down row by row."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.summaries import summarize

STARTED = datetime(2026, 11, 1, tzinfo=timezone.utc)
_PROJECT = PARTITIONING.field("project")


class HeldTables:
    """Answers as the tables of a store do, and remembers what it was asked.

    Args:
        tables: By name; each with a column ``project``. What is not there is empty.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = dict(tables)
        self.asked: list[tuple[str, Mapping[str, Collection[str]] | None]] = []

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        self.asked.append((table, where))
        rows = self._tables.get(table)
        if rows is None:
            rows = SCHEMAS[table].insert(0, _PROJECT).empty_table()
        if project is not None:
            rows = rows.filter(pc.equal(rows["project"], project))
        for name, values in (where or {}).items():
            kind = rows.schema.field(name).type
            rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(list(values), kind)))
        return rows if columns is None else rows.select(columns)


class TableBuilder:
    """Takes rows down as a person would say them."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, **values: Any) -> None:
        """Take down a row of a table; of the project ``digits`` if not said otherwise."""
        self._rows.setdefault(table, []).append({"project": "digits", **values})

    def experiment(
        self,
        experiment_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Sequence[float]] | None = None,
        project: str = "digits",
        **columns: Any,
    ) -> None:
        """Take down a run, with its hyperparameters and curves by the name of the history."""
        number = len(self._rows.get("experiments", ()))
        row: dict[str, Any] = {
            "name": experiment_id,
            "status": "finished",
            "started_at": STARTED + timedelta(hours=number),
            "tags": [],
            "notes": "",
        }
        self.add("experiments", experiment_id=experiment_id, project=project, **{**row, **columns})
        for name, value in (params or {}).items():
            self.add(
                "hyperparameters",
                project=project,
                experiment_id=experiment_id,
                name=name,
                value=json.dumps(value),
            )
        for name, curve in (metrics or {}).items():
            is_validation = name.startswith("val_")
            for epoch, value in enumerate(curve):
                self.add(
                    "metrics",
                    project=project,
                    experiment_id=experiment_id,
                    epoch=epoch,
                    split="validation" if is_validation else "train",
                    metric=name.removeprefix("val_"),
                    value=value,
                )

    def architecture(self, architecture_id: str, layers: Iterable[tuple[Any, ...]]) -> None:
        """Take down layers: path, class, names of those it takes from, and configuration."""
        for position, (path, class_name, inbound, *config) in enumerate(layers):
            name = path.rpartition("/")[2]
            given = config[0] if config else {}
            text = None if given is None else json.dumps({"name": name, **given}, sort_keys=True)
            self.add(
                "layers",
                architecture_id=architecture_id,
                position=position,
                path=path,
                name=name,
                class_name=class_name,
                inbound=list(inbound),
                dtype="float32",
                trainable=True,
                parameter_count=0 if class_name == "InputLayer" else 10 * (position + 1),
                trainable_parameter_count=0,
                config=text,
            )

    def tables(self) -> HeldTables:
        """Return all that was taken down."""
        tables = {
            name: pa.Table.from_pylist(rows, schema=SCHEMAS[name].insert(0, _PROJECT))
            for name, rows in self._rows.items()
        }
        if "metrics" in tables:
            tables["metric_summaries"] = _summaries(tables["metrics"])
        return HeldTables(tables)


def _summaries(metrics: pa.Table) -> pa.Table:
    parts = []
    for project in pc.unique(metrics["project"]).to_pylist():
        rows = summarize(metrics.filter(pc.equal(metrics["project"], project)).drop("project"))
        column = pa.repeat(pa.scalar(project, pa.string()), rows.num_rows)
        parts.append(rows.add_column(0, _PROJECT, column))
    return pa.concat_tables(parts)
