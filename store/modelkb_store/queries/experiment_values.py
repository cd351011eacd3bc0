"""The values of what a query names, read from no more of the tables than it needs."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.history_names import history_name_codes, metrics_that_may_be
from modelkb_store.json_column import JsonColumn
from modelkb_store.queries.metric_names import MetricName, metric_name_of
from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.syntax import Name
from modelkb_store.queries.values import Kind, Values, values_of_column, values_of_json
from modelkb_store.schemas import SCHEMAS
from modelkb_store.text_column import Codes, encoded_texts, numpy_of, plain_texts, positions_in

if TYPE_CHECKING:
    from modelkb_store.tables import Tables

# What an experiment refers to: the table, and the column of its id in both tables.
_ENTITIES = {
    "model": ("models", "model_id"),
    "dataset": ("datasets", "dataset_id"),
    "environment": ("environments", "environment_id"),
    "implementation": ("implementations", "implementation_id"),
}
_COLUMNS = ("project", *SCHEMAS["experiments"].names)
_NO_EPOCH = 1 << 40  # more than the column can hold
_ALWAYS = ("experiment_id", "architecture_id")


class ExperimentValues:
    """The experiments that a query is about, oldest first, and what it may name of them.

    Args:
        tables: The tables of a store.
        project: Only this project's experiments.
        names: All names that will be asked for, to be read at once.
    """

    def __init__(self, tables: Tables, project: str | None, names: Sequence[Name]) -> None:
        self._tables = tables
        self._project = project
        self._parameters = _distinct(_inner(n) for n in names if n.parts[0] == "params")
        self._metrics = _distinct(
            metric_name_of(n).metric for n in names if n.parts[0] == "metrics" and n.parts[1:]
        )
        wanted = {*_ALWAYS, *(n.parts[0] for n in names)}
        wanted |= {_ENTITIES[n.parts[0]][1] for n in names if n.parts[0] in _ENTITIES}
        columns = [column for column in _COLUMNS if column in wanted]
        rows = tables.read("experiments", project, columns)
        ids = plain_texts(rows["experiment_id"])
        self._rows = rows.take(pc.sort_indices(ids))
        self.ids = plain_texts(self._rows["experiment_id"])

    def __len__(self) -> int:
        return len(self.ids)

    def values(self, name: Name, query: QueryText) -> Values:
        """Return the values of a name, one for each experiment.

        Raises:
            UnknownQueryNameError: Nothing in the store has this name.
        """
        first, *rest = name.parts
        if name.epoch is not None and first != "metrics":
            raise query.mismatch("Only a metric has values of epochs.", name.position)
        if rest and first == "params":
            found = self._parameter(".".join(rest))
        elif rest and first == "metrics":
            found = self._metric(metric_name_of(name))
        elif len(rest) == 1 and first in _ENTITIES:
            found = self._of_entity(first, rest[0])
        else:
            found = values_of_column(self._rows[first]) if name.parts in _SINGLE else None
        if found is None:
            raise query.unknown(_KINDS.get(first, "column"), name, self._known(first))
        return found

    def positions_of_architecture(self, architecture_ids: pa.Array) -> Codes:
        """Return for each experiment the position of its architecture among some, else -1."""
        return positions_in(self._rows["architecture_id"], architecture_ids)

    @functools.cached_property
    def _parameter_rows(self) -> tuple[Codes, dict[str, int], Codes, JsonColumn]:
        table = self._tables.read(
            "hyperparameters",
            self._project,
            ["experiment_id", "name", "value"],
            where={"name": self._parameters},
        )
        codes, names = encoded_texts(table["name"])
        code_of = {name: code for code, name in enumerate(names.to_pylist())}
        rows = positions_in(table["experiment_id"], self.ids)
        return codes, code_of, rows, JsonColumn(table["value"])

    def _parameter(self, name: str) -> Values | None:
        codes, code_of, rows, values = self._parameter_rows
        chosen = np.flatnonzero((codes == code_of.get(name, -2)) & (rows >= 0))
        if not chosen.size:
            return None
        places = np.full(len(self), -1, np.int64)
        places[rows[chosen]] = chosen
        return values_of_json(values, places)

    @functools.cached_property
    def _summaries(self) -> tuple[Codes, list[str], Codes, pa.Table]:
        columns = ["experiment_id", "split", "metric", "first", "last", "min", "max"]
        table = self._tables.read(
            "metric_summaries",
            self._project,
            columns,
            where={"metric": _distinct(m for n in self._metrics for m in metrics_that_may_be(n))},
        )
        codes, names = history_name_codes(table["split"], table["metric"])
        return codes, names, positions_in(table["experiment_id"], self.ids), table

    def _metric(self, name: MetricName) -> Values | None:
        codes, names, rows, table = self._summaries
        if name.metric not in names:
            return None
        chosen = (codes == names.index(name.metric)) & (rows >= 0)
        if name.epoch is not None:
            return self._at_epoch(name.metric, name.epoch)
        return self._numbers(rows, table[name.column], chosen)

    def _at_epoch(self, metric: str, epoch: int) -> Values:
        columns = ["experiment_id", "epoch", "split", "metric", "value"]
        where = {"metric": metrics_that_may_be(metric)}
        table = self._tables.read("metrics", self._project, columns, where=where)
        table = table.filter(pc.equal(table["epoch"], pa.scalar(min(epoch, _NO_EPOCH))))
        codes, names = history_name_codes(table["split"], table["metric"])
        rows = positions_in(table["experiment_id"], self.ids)
        chosen = (codes == (names.index(metric) if metric in names else -2)) & (rows >= 0)
        return self._numbers(rows, table["value"], chosen)

    def _numbers(self, rows: Codes, column: pa.ChunkedArray, chosen: np.ndarray) -> Values:
        chosen = np.flatnonzero(chosen & numpy_of(column.is_valid()))
        numbers, missing = np.zeros(len(self)), np.ones(len(self), bool)
        numbers[rows[chosen]] = numpy_of(column.fill_null(0.0))[chosen]
        missing[rows[chosen]] = False
        return Values({Kind.NUMBER: pa.array(numbers, mask=missing)}, pa.array(~missing))

    def _of_entity(self, entity: str, column: str) -> Values | None:
        table, key = _ENTITIES[entity]
        if column not in SCHEMAS[table].names:
            return None
        rows = self._tables.read(table, self._project, _distinct([key, column]))
        place_of = positions_in(self._rows[key], plain_texts(rows[key]))
        return values_of_column(
            rows[column].take(pa.array(np.maximum(place_of, 0), mask=place_of < 0))
            if rows.num_rows
            else pa.chunked_array([pa.nulls(len(self), rows[column].type)])
        )

    def _known(self, first: str) -> Iterable[str]:
        """Yield the names that could have been meant; only for an error, as it reads more."""
        if first in _ENTITIES:
            yield "model.depth"
            yield from (f"{first}.{column}" for column in SCHEMAS[_ENTITIES[first][0]].names)
            return
        columns = ["split", "metric"]
        metrics = self._tables.read("metric_summaries", self._project, columns)
        _, history_names = history_name_codes(metrics["split"], metrics["metric"])
        parameters = self._tables.read("hyperparameters", self._project, ["name"])["name"]
        if first != "metrics":
            yield from (f"params.{name}" for name in encoded_texts(parameters)[1].to_pylist())
        if first != "params":
            yield from (f"metrics.{name}" for name in history_names)
        if first not in ("params", "metrics"):
            yield from _COLUMNS


_SINGLE = {(column,) for column in _COLUMNS}
_KINDS = {"params": "hyperparameter", "metrics": "metric"}


def _inner(name: Name) -> str:
    return ".".join(name.parts[1:])


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
