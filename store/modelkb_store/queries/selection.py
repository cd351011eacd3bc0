"""Experiments that a query chooses, in the order that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.errors import InvalidSettingError
from modelkb_store.listing import list_experiments
from modelkb_store.queries.evaluation import Evaluation
from modelkb_store.queries.experiment_rows import ExperimentRows
from modelkb_store.queries.parser import parse_condition, parse_ordering
from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.syntax import Name, OrderKey, names_in
from modelkb_store.queries.values import Kind, Values, spread_result
from modelkb_store.text_column import Codes, numpy_of, plain_texts

if TYPE_CHECKING:
    from modelkb_store.tables import Tables

_TYPES = {Kind.NUMBER: pa.float64(), Kind.TRUTH: pa.bool_()}


def select_experiments(
    tables: Tables,
    project: str | None = None,
    where: str | None = None,
    order_by: str | Sequence[str] | None = None,
    limit: int | None = None,
    *,
    now: datetime | None = None,
) -> pa.Table:
    """Return the experiments that a condition is true for, with the columns of the listing.

    Only what the condition and the order name is read of all experiments; all else only of
    those that are chosen.

    Args:
        tables: The tables of a store.
        project: Only this project's experiments.
        where: A condition in the language of docs/queries.md; all by default.
        order_by: What to sort by: a name, with ``-`` before or `` desc`` behind it for the
            largest first; several in a list or with commas between. Missing values and NaN
            come last. Oldest first by default.
        limit: At most so many.
        now: What ``now()`` in the query is; the present by default.

    Returns:
        The columns of :func:`modelkb_store.listing.list_experiments`: those that one of the
        chosen has, and those that the query names.

    Raises:
        QuerySyntaxError: The text is not in the language.
        UnknownQueryNameError: It names a column, parameter or metric that nothing has.
        QueryTypeError: It compares what cannot be compared.
        ExperimentNotFoundError: It relates to an experiment that is not there.
        InvalidSettingError: The limit is negative.

    Example:
        >>> select_experiments(tables, "digits", "params.lr < 0.01", "-metrics.val_accuracy", 10)
    """
    if limit is not None and (isinstance(limit, bool) or limit < 0):
        raise InvalidSettingError("limit", limit, "a whole number from 0, or None for all")
    if (where is None or not where.strip()) and not order_by and limit is None:
        return list_experiments(tables, project)
    rows, names, ids = _chosen(tables, project, where, order_by, now)
    listed = experiments_in_order(tables, ids.slice(0, limit), project)
    return _with_named_columns(listed, names, rows)


def select_experiment_ids(
    tables: Tables,
    project: str | None = None,
    where: str | None = None,
    order_by: str | Sequence[str] | None = None,
) -> list[str]:
    """Return the ids alone, which is faster: nothing is read but what the query names.

    The arguments and errors are those of :func:`select_experiments`.
    """
    ids: list[str] = _chosen(tables, project, where, order_by, None)[2].to_pylist()
    return ids


def experiments_in_order(
    tables: Tables, experiment_ids: pa.Array, project: str | None = None
) -> pa.Table:
    """Return some experiments as they are listed, in the order of their ids.

    What is not in the store is left out, as are columns that none of them has.
    """
    listed = list_experiments(tables, project, experiment_ids=experiment_ids.to_pylist())
    places = pc.index_in(experiment_ids, value_set=plain_texts(listed["experiment_id"]))
    return listed.take(places.drop_null())  # one may have been deleted meanwhile


def _chosen(
    tables: Tables,
    project: str | None,
    where: str | None,
    order_by: str | Sequence[str] | None,
    now: datetime | None,
) -> tuple[ExperimentRows, list[Name], pa.Array]:
    """Return all rows, the names that the query has, and the ids that it chooses in order."""
    condition = None if where is None or not where.strip() else parse_condition(where)
    texts = [order_by] if isinstance(order_by, str) else list(order_by or ())
    ordering = [(QueryText(text), key) for text in texts for key in parse_ordering(text)]
    names = list(names_in((condition, tuple(key for _, key in ordering))))
    rows = ExperimentRows(tables, project, names)
    found = np.arange(len(rows))
    if condition is not None:
        found = np.flatnonzero(Evaluation(rows, QueryText(where or ""), now).chosen(condition))
    return rows, names, rows.ids.take(pa.array(_sorted(rows, ordering, found)))


def _sorted(
    rows: ExperimentRows, ordering: list[tuple[QueryText, OrderKey]], found: Codes
) -> Codes:
    """Sort rows; those that are equal stay as they are, oldest first."""
    if not ordering:
        return found
    columns: list[pa.Array] = []
    directions: list[str] = []
    for query, key in ordering:
        values = Evaluation(rows, query).values(key.operand)
        for column in _sortable(values):
            columns.append(spread_result(column, len(rows)).take(pa.array(found)))
            directions.append("descending" if key.descending else "ascending")
    names = [str(number) for number in range(len(columns))]
    table = pa.table([*columns, pa.array(np.arange(len(found)))], names=[*names, "row"])
    order = pc.sort_indices(
        table, sort_keys=[*zip(names, directions, strict=True), ("row", "ascending")]
    )
    in_order: Codes = found[numpy_of(order)]
    return in_order


def _sortable(values: Values) -> list[pa.Array]:
    """Return columns to sort by, one for each kind: numbers come before texts."""
    pieces = {kind: values.pieces[kind] for kind in Kind if kind in values.pieces}
    if Kind.TRUTH in pieces:
        pieces[Kind.TRUTH] = pieces[Kind.TRUTH].cast(pa.int8())
    if Kind.LIST in pieces:
        pieces[Kind.LIST] = pc.binary_join(pieces[Kind.LIST], ",")
    return list(pieces.values())


def _with_named_columns(listed: pa.Table, names: list[Name], rows: ExperimentRows) -> pa.Table:
    """Add the columns that a query names and none of the chosen experiments has."""
    for name in names:
        column = rows.listed_name(name)
        if column is not None and column not in listed.column_names:
            values = rows.values(name, QueryText(""))
            kind = next(iter(values.pieces), Kind.TEXT) if len(values.pieces) == 1 else Kind.TEXT
            empty = pa.nulls(listed.num_rows, _TYPES.get(kind, pa.string()))
            listed = listed.append_column(column, empty)
    return listed
