"""Which layers are as a pattern says, and which architectures have layers that follow so."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.json_column import JsonColumn
from modelkb_store.queries.evaluation import Evaluation
from modelkb_store.queries.layer_table import LayerTable, config_values
from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.syntax import (
    Arrow,
    Call,
    Condition,
    LayerChain,
    LayerCount,
    LayerPattern,
    Name,
)
from modelkb_store.queries.values import Values, values_of_column, values_of_json
from modelkb_store.schemas import SCHEMAS
from modelkb_store.text_column import Codes, encoded_texts

Mask = npt.NDArray[np.bool_]

_NAME_IN_CONFIG = r'"name": ?"[^"\\]*"'
_COLUMNS = frozenset(SCHEMAS["layers"].names) - {"architecture_id", "position", "config"}


class LayerPatterns:
    """Finds layers and chains of them.

    Args:
        layers: The layers of all architectures.
        query: What was asked.
    """

    def __init__(self, layers: LayerTable, query: QueryText) -> None:
        self._layers = layers
        self._query = query

    def chain(self, chain: LayerChain) -> Mask:
        """Return which architectures have such a chain."""
        found = self._matching(chain.patterns[0])
        for arrow, pattern in zip(chain.arrows, chain.patterns[1:], strict=True):
            graph = self._layers.graph
            after = graph.next_of(found) if arrow is Arrow.DIRECTLY else graph.all_after(found)
            found = after & self._matching(pattern, after)
        return self._layers.any_per_architecture(found)

    def count(self, count: LayerCount) -> Codes:
        """Return how many such layers each architecture has."""
        return self._layers.count_per_architecture(self._matching(count.pattern))

    def _matching(self, pattern: LayerPattern, among: Mask | None = None) -> Mask:
        found = np.zeros(len(self._layers), bool)
        for layer in pattern.alternatives:
            of_class = self._layers.of_class(layer.class_name)
            found |= self._fulfilling(
                of_class if among is None else of_class & among, layer.condition, of_class
            )
        return self._fulfilling(found, pattern.condition, found)

    def _fulfilling(self, layers: Mask, condition: Condition | None, known: Mask) -> Mask:
        """Return which of some layers fulfil a condition; ``known`` are those with its keys."""
        if condition is None or not layers.any():
            return layers
        rows = np.flatnonzero(layers)
        source = _LayerValues(self._layers, rows, np.flatnonzero(known))
        fulfilled = np.zeros(len(layers), bool)
        fulfilled[rows[Evaluation(source, self._query).chosen(condition)]] = True
        return fulfilled


class _LayerValues:
    """What a condition may name of some layers: columns of the table, then configuration."""

    def __init__(self, layers: LayerTable, rows: Codes, known: Codes) -> None:
        self._layers = layers
        self._rows = rows
        self._known_rows = known

    def __len__(self) -> int:
        return len(self._rows)

    def values(self, name: Name, query: QueryText) -> Values:
        if name.epoch is not None:
            raise query.mismatch("Only a metric has values of epochs.", name.position)
        if len(name.parts) == 1 and name.parts[0] in _COLUMNS:
            return values_of_column(self._layers.column(name.parts[0], self._rows))
        codes, configs = self._configs if "name" in name.parts else self._nameless_configs
        texts = config_values(configs.to_pylist(), name.parts)
        if all(text is None for text in texts) and not self._anywhere(name.parts):
            raise query.unknown("key of these layers", name, self._known())
        column = JsonColumn(pa.chunked_array([pa.array(texts, pa.string())]))
        return values_of_json(column, codes)

    def result_of(self, condition: LayerChain | Call, query: QueryText) -> pa.Array:
        raise query.mismatch("A layer has no such property.", condition.position)

    def count_of(self, count: LayerCount, query: QueryText) -> Values:
        raise query.mismatch("A layer has no such property.", count.position)

    @functools.cached_property
    def _configs(self) -> tuple[Codes, pa.Array]:
        return encoded_texts(self._layers.column("config", self._rows))

    @functools.cached_property
    def _nameless_configs(self) -> tuple[Codes, pa.Array]:
        """The configurations without names, which are often all that tells layers apart."""
        codes, configs = self._configs
        nameless = pc.replace_substring_regex(configs, _NAME_IN_CONFIG, '"name":""')
        places, distinct = encoded_texts(pa.chunked_array([nameless]))
        return np.append(places, -1)[codes], distinct

    def _anywhere(self, key: Sequence[str]) -> bool:
        texts = self._layers.column("config", self._known_rows).to_pylist()
        return any(text is not None for text in config_values(texts, key))

    def _known(self) -> list[str]:
        texts = set(self._layers.column("config", self._known_rows).to_pylist())
        keys = {key for text in list(texts)[:100] for key in json.loads(text or "null") or ()}
        return [*sorted(keys), *sorted(_COLUMNS)]
