from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from held_tables import HeldTables, TableBuilder
from modelkb_store.queries.layer_table import LayerTable


def _builder(*architecture_ids: str) -> TableBuilder:
    builder = TableBuilder()
    for architecture_id in architecture_ids:
        builder.architecture(
            architecture_id,
            [
                ("in", "InputLayer", []),
                ("b", "Dense", ["in"], {"of": architecture_id}),
                ("a", "Dense", ["b"], {"of": architecture_id}),
            ],
        )
    return builder


class _Growing:
    """Tables in which an architecture appears, and one is gone, after the first reading."""

    def __init__(self, first: HeldTables, later: HeldTables) -> None:
        self._now, self._later = first, later

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        rows = self._now.read(table, project, columns, where=where)
        self._now = self._later
        return rows


def test_columns_that_are_read_later_are_of_the_same_layers() -> None:
    growing = _Growing(_builder("x", "y").tables(), _builder("w", "y", "z").tables())
    layers = LayerTable(growing, None)

    configs = layers.column("config", np.arange(len(layers))).to_pylist()

    assert configs[:3] == [None, None, None]
    assert ['"of": "y"' in config for config in configs[3:]] == [False, True, True]


def test_an_architecture_of_two_projects_counts_once() -> None:
    builder = _builder("x")
    for row in _builder("x").tables().read("layers").to_pylist():
        builder.add("layers", **{**row, "project": "other"})
    layers = LayerTable(builder.tables(), None)

    assert len(layers) == 3
    assert layers.depths()[1].to_pylist() == [2]
