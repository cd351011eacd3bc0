"""How experiments relate to one of them: ``differs``, ``shares_weights``, ``same_data``, .."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.errors import QueryError, UnknownQueryNameError
from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.syntax import Call, Literal
from modelkb_store.queries.weights_in_common import runs_with_weights, weights_of
from modelkb_store.same_data import same_data
from modelkb_store.text_column import encoded_texts, numpy_of, plain_texts, positions_in

if TYPE_CHECKING:
    from modelkb_store.tables import Tables

# What another optimizer brings with it.
_WITH_OPTIMIZER = "learning_rate"
_IDS = ("architecture_id", "dataset_id", "validation_dataset_id")


class Relations:
    """Evaluates the relations of a query.

    Args:
        tables: The tables of a store.
        project: Only this project's experiments; the one they are compared with may be any.
        ids: The experiments.
        query: What was asked.
    """

    def __init__(
        self, tables: Tables, project: str | None, ids: pa.Array, query: QueryText
    ) -> None:
        self._tables = tables
        self._project = project
        self._ids = ids
        self._query = query

    def result(self, call: Call) -> pa.Array:
        """Return for each experiment true, false, or null if it cannot be known.

        Raises:
            ExperimentNotFoundError: There is no such experiment to compare with.
            QueryError: The function is unknown, or its arguments are not as they should be.
        """
        function = FUNCTIONS.get(call.function.lower())
        if function is None:
            raise UnknownQueryNameError(
                "function",
                call.function,
                self._query.text,
                call.position,
                [*FUNCTIONS, "has", "count"],
            )
        most, keywords = _SIGNATURES.get(call.function.lower(), (1, ()))
        names = {name.lower() for name, _ in call.keywords}
        texts = [item.value for item in (*call.arguments, *_items_of(call))]
        fits = 1 <= len(call.arguments) <= most and names == set(keywords)
        if not fits or not all(isinstance(text, str) for text in texts):
            raise QueryError(
                f"{call.function} is not used so.",
                self._query.text,
                call.position,
                f"Write {_EXAMPLES[call.function.lower()]}.",
            )
        return function(self, self._resolved(call.arguments[0]), call)

    def _resolved(self, wanted: Literal) -> str:
        known = self._tables.read("experiments", None, ["experiment_id", "name"])
        ids, names = known["experiment_id"].to_pylist(), known["name"].to_pylist()
        return resolve_experiment_id(str(wanted.value), ids, names)

    def _same_architecture(self, experiment_id: str, _call: Call) -> pa.Array:
        return pc.equal(
            self._column("architecture_id"), self._own(experiment_id, "architecture_id")
        )

    def _same_data(self, experiment_id: str, _call: Call) -> pa.Array:
        own = self._own(experiment_id, "dataset_id")
        rows = self._tables.read("datasets", None)
        by_id = {row["dataset_id"]: row for row in rows.to_pylist()}
        codes, ids = encoded_texts(pa.chunked_array([self._column("dataset_id")]))
        same = [
            same_data(by_id.get(own.as_py(), {}), by_id.get(other, {})) for other in ids.to_pylist()
        ]
        return pa.array([*same, None], pa.bool_()).take(pa.array(codes % (len(same) + 1)))

    def _shares_weights(self, experiment_id: str, call: Call) -> pa.Array:
        layer = call.arguments[1] if len(call.arguments) > 1 else None
        wanted, layers = weights_of(
            self._tables, experiment_id, None if layer is None else str(layer.value)
        )
        if layer is not None and layer.value not in layers:
            raise UnknownQueryNameError(
                "layer with stored weights",
                str(layer.value),
                self._query.text,
                layer.position,
                sorted(layers),
            )
        found = runs_with_weights(self._tables, self._project, wanted, self._ids)
        found &= ~numpy_of(pc.equal(self._ids, experiment_id))
        return pa.array(found)

    def _differs(self, experiment_id: str, call: Call) -> pa.Array:
        same = np.ones(len(self._ids), bool)
        for column in _IDS:
            own = self._own(experiment_id, column)
            of_all = self._column(column)
            equal = pc.is_null(of_all) if not own.is_valid else pc.equal(of_all, own)
            same &= numpy_of(pc.fill_null(equal, False))
        allowed = [str(item.value) for item in _items_of(call)]
        others, in_allowed = self._equal_parameters(
            experiment_id, allowed, self._ids.filter(pa.array(same))
        )
        same[same] = others & ~in_allowed
        return pa.array(same)

    def _equal_parameters(
        self, experiment_id: str, allowed: list[str], ids: pa.Array
    ) -> tuple[Any, Any]:
        """Return which runs have equal hyperparameters: those that may not differ, and the rest."""
        among = pa.array(dict.fromkeys([experiment_id, *ids.to_pylist()]), pa.string())
        table = self._tables.read(
            "hyperparameters",
            None,
            ["experiment_id", "name", "value"],
            where={"experiment_id": among.to_pylist()},
        )
        runs = positions_in(table["experiment_id"], among)
        name_codes, names = encoded_texts(table["name"])
        value_codes, values = encoded_texts(table["value"])
        pairs = name_codes * (len(values) + 1) + value_codes
        may_differ = np.array([_covered(name, allowed) for name in names.to_pylist()], bool)
        free = may_differ[name_codes] if len(names) else np.zeros(0, bool)
        return tuple(
            _as_first(runs[chosen], pairs[chosen], len(among))[
                positions_in(pa.chunked_array([ids]), among)
            ]
            for chosen in (~free, free)
        )

    def _column(self, name: str) -> pa.Array:
        rows = self._tables.read("experiments", self._project, ["experiment_id", name])
        places = positions_in(pa.chunked_array([self._ids]), plain_texts(rows["experiment_id"]))
        return plain_texts(rows[name]).take(pa.array(np.maximum(places, 0), mask=places < 0))

    def _own(self, experiment_id: str, column: str) -> pa.Scalar:
        where = {"experiment_id": [experiment_id]}
        return plain_texts(self._tables.read("experiments", None, [column], where=where)[column])[0]


def _as_first(runs: Any, pairs: Any, count: int) -> Any:
    """Return which runs have all the pairs of the first, and no other."""
    own = np.unique(pairs[runs == 0])
    size = np.bincount(runs, minlength=count)
    in_common = np.bincount(runs[np.isin(pairs, own)], minlength=count)
    return (size == own.size) & (in_common == own.size)


def _covered(name: str, allowed: list[str]) -> bool:
    return any(
        name == one
        or name.startswith(f"{one}.")
        or (one == "optimizer" and _covered(name, [_WITH_OPTIMIZER]))
        for one in allowed
    )


def _items_of(call: Call) -> tuple[Literal, ...]:
    return tuple(item for _, items in call.keywords for item in items)


FUNCTIONS: dict[str, Callable[[Relations, str, Call], pa.Array]] = {
    "differs": Relations._differs,
    "same_architecture": Relations._same_architecture,
    "same_data": Relations._same_data,
    "shares_weights": Relations._shares_weights,
}
# How many arguments at most, and the keywords that must be there.
_SIGNATURES: dict[str, tuple[int, tuple[str, ...]]] = {
    "differs": (1, ("only",)),
    "shares_weights": (2, ()),
}
_EXAMPLES = {
    "differs": "differs('ID', only='optimizer')",
    "same_architecture": "same_architecture('ID')",
    "same_data": "same_data('ID')",
    "shares_weights": "shares_weights('ID') or shares_weights('ID', 'layer name')",
}
