"""The layers of all architectures at once, and which layer follows which."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.queries.layer_graph import LayerGraph, Mask, linked
from modelkb_store.text_column import Codes, encoded_texts, numpy_of, positions_in

if TYPE_CHECKING:
    from modelkb_store.tables import Tables

_GRAPH_COLUMNS = ("architecture_id", "position", "path", "class_name", "inbound")


class LayerTable:
    """Rows are layers, sorted by architecture and position; nothing is read before it is needed.

    Args:
        tables: The tables of a store.
        project: Only this project's architectures.

    Attributes:
        architecture_ids: The architectures.
        architecture: For each layer the position of its architecture among these.
    """

    def __init__(self, tables: Tables, project: str | None) -> None:
        self._tables = tables
        self._project = project
        self._read: dict[str, tuple[pa.ChunkedArray, Codes]] = {}
        table = tables.read("layers", project, list(_GRAPH_COLUMNS))
        codes, ids = encoded_texts(table["architecture_id"])
        path_codes, paths = encoded_texts(table["path"])
        # An architecture that several projects have may be there several times.
        pairs = codes * (len(paths) + 1) + path_codes
        rows = np.unique(pairs, return_index=True)[1]
        positions = numpy_of(table["position"])[rows]
        self._order = rows[np.lexsort((positions, codes[rows]))]
        self._rows = table.take(pa.array(self._order))
        self._path_codes, self._paths = path_codes[self._order], paths
        self.architecture_ids = ids
        self.architecture: Codes = codes[self._order]

    def __len__(self) -> int:
        return len(self._order)

    def of_class(self, class_name: str | None) -> Mask:
        """Return which layers are of a class, whatever its capitals; of any without a name."""
        codes, names = self._classes
        if class_name is None:
            is_input = [name == "InputLayer" for name in names]
            return ~np.append(is_input, False).astype(bool)[codes]
        wanted = class_name.rpartition(".")[2].lower()
        is_wanted = [name.lower() == wanted for name in names]
        return np.append(is_wanted, False).astype(bool)[codes]

    def column(self, name: str, rows: Codes) -> pa.ChunkedArray:
        """Return a column of the table ``layers`` for some layers."""
        if name in _GRAPH_COLUMNS:
            return self._rows[name].take(pa.array(rows))
        column, places = self._more(name)
        return column.take(pa.array(places[rows], mask=places[rows] < 0))

    def any_per_architecture(self, layers: Mask) -> Mask:
        """Return which architectures have at least one of some layers."""
        return self.count_per_architecture(layers) > 0

    def count_per_architecture(self, layers: Mask) -> Codes:
        """Return how many of some layers each architecture has."""
        return np.bincount(self.architecture[layers], minlength=len(self.architecture_ids))

    def depths(self) -> tuple[pa.Array, pa.Array]:
        """Return the architectures, and how many layers are on the longest path of each.

        Null where the order of the layers is not known, as in a subclass of ``keras.Model``.
        """
        return self.architecture_ids, self._depths

    @functools.cached_property
    def _depths(self) -> pa.Array:
        longest = np.zeros(len(self.architecture_ids), np.int64)
        real = self.of_class(None)
        np.maximum.at(longest, self.architecture[real], self.graph.ranks()[real])
        return pa.array(longest, mask=self._orderless())

    @functools.cached_property
    def graph(self) -> LayerGraph:
        """Which layer follows which, without input layers and nested models between them."""
        sources, targets = self._sibling_edges()
        parents = self._parents()
        opaque, wrappers = self._configured(parents)
        inputs = ~self.of_class(None)
        return linked(sources, targets, parents, inputs=inputs, opaque=opaque, wrappers=wrappers)

    @functools.cached_property
    def _classes(self) -> tuple[Codes, list[str]]:
        codes, names = encoded_texts(self._rows["class_name"])
        return codes, names.to_pylist()

    def _more(self, name: str) -> tuple[pa.ChunkedArray, Codes]:
        """Return a column that is read only now, and where each layer is in it.

        A run may have been recorded or deleted since the first reading.
        """
        if name not in self._read:
            table = self._tables.read("layers", self._project, ["architecture_id", "path", name])
            codes = positions_in(table["architecture_id"], self.architecture_ids)
            path_codes = positions_in(table["path"], self._paths)
            places = np.full(len(self), -1, np.int64)
            rows = self._row_at(codes, path_codes)
            known = np.flatnonzero(rows >= 0)
            places[rows[known]] = known
            self._read[name] = table[name], places
        return self._read[name]

    def _row_of(self, architecture: Codes, paths: pa.Array) -> Codes:
        """Return the layer at a path of an architecture, -1 where there is none."""
        return self._row_at(architecture, positions_in(pa.chunked_array([paths]), self._paths))

    def _row_at(self, architecture: Codes, path_codes: Codes) -> Codes:
        keys, order = self._keys
        if not len(keys):
            return np.full(len(architecture), -1, np.int64)
        wanted = architecture * (len(self._paths) + 1) + path_codes
        places = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
        known = (architecture >= 0) & (path_codes >= 0) & (keys[places] == wanted)
        return np.where(known, places, -1)

    @functools.cached_property
    def _keys(self) -> tuple[Codes, Codes]:
        """A number for each layer's architecture and path, and the order of these numbers."""
        keys = self.architecture * (len(self._paths) + 1) + self._path_codes
        return keys, np.argsort(keys, kind="stable")

    @functools.cached_property
    def _parent_paths(self) -> pa.Array:
        """For each distinct path what is before its last name, with the stroke."""
        return pc.replace_substring_regex(self._paths, r"[^/]*$", "")

    def _sibling_edges(self) -> tuple[Codes, Codes]:
        if not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        inbound = self._rows["inbound"].combine_chunks()
        targets = numpy_of(pc.list_parent_indices(inbound).cast(pa.int64()))
        names = pc.list_flatten(inbound).cast(pa.string())
        folders = self._parent_paths.take(pa.array(self._path_codes[targets]))
        paths = pc.binary_join_element_wise(folders, names, "")
        sources = self._row_of(self.architecture[targets], paths)
        known = sources >= 0
        return sources[known], targets[known]

    def _parents(self) -> Codes:
        """Return for each layer the one that holds it, -1 for none."""
        if not len(self):
            return np.zeros(0, np.int64)
        folders = pc.utf8_slice_codeunits(self._parent_paths, 0, -1)
        inner = np.flatnonzero(numpy_of(pc.not_equal(folders, ""))[self._path_codes])
        parents = np.full(len(self), -1, np.int64)
        if inner.size:
            of_inner = folders.take(pa.array(self._path_codes[inner]))
            parents[inner] = self._row_of(self.architecture[inner], of_inner)
        return parents

    def _configured(self, parents: Codes) -> tuple[Mask, Mask]:
        """Return which layers hold others without being a model, and which are wrappers.

        A nested model has no configuration of its own in the table, a wrapper such as
        ``Bidirectional`` one with its ``layer``; what else holds layers is as one layer.
        """
        opaque, wrappers = np.zeros(len(self), bool), np.zeros(len(self), bool)
        holders = np.unique(parents[parents >= 0])
        if holders.size:
            configs = self.column("config", holders)
            wrapping = pc.match_substring(configs, '"layer":')
            wrappers[holders] = numpy_of(pc.fill_null(wrapping, False))
            opaque[holders] = numpy_of(pc.fill_null(pc.invert(wrapping), False))
        return opaque, wrappers

    def _orderless(self) -> Mask:
        """Return which architectures have several layers, and none that follows another."""
        top = self._parents() < 0
        _, targets = self._sibling_edges()
        followed = np.zeros(len(self), bool)
        followed[targets] = True
        several = self.count_per_architecture(top & self.of_class(None)) > 1
        return several & ~self.any_per_architecture(top & followed)


def config_values(texts: Sequence[str | None], key: Sequence[str]) -> list[str | None]:
    """Return a key of the configurations of layers, as JSON text.

    Args:
        texts: Configurations as JSON.
        key: The key; of a configuration within one, the keys on the way to it.
    """
    decoded: dict[str | None, str | None] = {None: None}
    for text in texts:
        if text not in decoded:
            decoded[text] = _inner_value(json.loads(text or "null"), key)
    return [decoded[text] for text in texts]


def _inner_value(value: Any, key: Sequence[str]) -> str | None:
    for part in key:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return json.dumps(value)
