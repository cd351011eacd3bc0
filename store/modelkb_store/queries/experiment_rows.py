"""Experiments as the rows of a query: values, structure and relations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from modelkb_store.queries.experiment_values import ExperimentValues
from modelkb_store.queries.layer_patterns import LayerPatterns
from modelkb_store.queries.layer_table import LayerTable
from modelkb_store.queries.metric_names import metric_name_of
from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.relations import Relations
from modelkb_store.queries.syntax import Call, LayerChain, LayerCount, Name
from modelkb_store.queries.values import Kind, Values
from modelkb_store.text_column import Codes

if TYPE_CHECKING:
    from modelkb_store.tables import Tables


class ExperimentRows:
    """The experiments that a query is about, oldest first.

    Args:
        tables: The tables of a store.
        project: Only this project's experiments.
        names: All names that the query has.

    Attributes:
        ids: Their ids.
    """

    def __init__(self, tables: Tables, project: str | None, names: Sequence[Name]) -> None:
        self._tables = tables
        self._project = project
        self._values = ExperimentValues(tables, project, names)
        self.ids = self._values.ids

    def __len__(self) -> int:
        return len(self.ids)

    def values(self, name: Name, query: QueryText) -> Values:
        """Return the values of a name, one for each experiment."""
        if name.parts == ("model", "depth"):
            return self._numbers(*self._layers.depths())
        return self._values.values(name, query)

    def count_of(self, count: LayerCount, query: QueryText) -> Values:
        """Return how many layers each experiment's model has that are so."""
        counts = LayerPatterns(self._layers, query).count(count)
        return self._numbers(self._layers.architecture_ids, pa.array(counts))

    def result_of(self, condition: LayerChain | Call, query: QueryText) -> pa.Array:
        """Return for which experiments a structure or a relation holds."""
        if isinstance(condition, Call):
            return Relations(self._tables, self._project, self.ids, query).result(condition)
        found = LayerPatterns(self._layers, query).chain(condition)
        return self._of_architectures(self._layers.architecture_ids, pa.array(found))

    def listed_name(self, name: Name) -> str | None:
        """Return the column of the listing that a parameter or metric is in, if it is one."""
        if name.parts[0] == "params":
            return str(name)
        if name.parts[0] == "metrics":
            return f"metrics.{metric_name_of(name).metric}"
        return None

    @functools.cached_property
    def _layers(self) -> LayerTable:
        return LayerTable(self._tables, self._project)

    def _numbers(self, architecture_ids: pa.Array, numbers: pa.Array) -> Values:
        column = self._of_architectures(architecture_ids, numbers)
        return Values({Kind.NUMBER: column}, column.is_valid())

    def _of_architectures(self, architecture_ids: pa.Array, values: pa.Array) -> pa.Array:
        """Spread values of architectures over the experiments that have these."""
        places: Codes = self._values.positions_of_architecture(architecture_ids)
        if not len(values):
            return pa.nulls(len(self), values.type)
        return values.take(pa.array(np.maximum(places, 0), mask=places < 0))
