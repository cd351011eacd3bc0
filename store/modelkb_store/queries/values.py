"""The values that a name has in many rows, by kind, and how they compare.

A parameter may be a number in one run and a text in the next. So values are kept in pieces,
one array for each kind, null where the row has another kind or nothing. What cannot be
compared is null, as in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.json_column import JsonColumn, JsonKind, canonical_item
from modelkb_store.queries.syntax import ListLiteral, Literal
from modelkb_store.text_column import Codes, plain_texts

TIME = pa.timestamp("us", tz="UTC")


class Kind(str, Enum):
    """What can be compared with each other."""

    NUMBER = "a number"
    TEXT = "a text"
    TRUTH = "a truth value"
    TIME = "a time"
    LIST = "a list"


_COMPARE: dict[str, Callable[..., Any]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_ORDERED = (Kind.NUMBER, Kind.TEXT, Kind.TIME)


class MismatchError(Exception):
    """No row has values that could be compared."""


@dataclass(frozen=True, slots=True)
class Values:
    """Values of many rows, or one value for all of them.

    Attributes:
        pieces: For each kind an array with one place for each row, or a scalar. Lists are
            arrays of their items as canonical JSON text.
        present: Which rows have a value, of whatever kind.
    """

    pieces: Mapping[Kind, Any]
    present: Any

    @property
    def kinds(self) -> str:
        """The kinds of the values, for people."""
        return " or ".join(kind.value for kind in Kind if kind in self.pieces) or "nothing"


def values_of_column(column: pa.ChunkedArray) -> Values:
    """Return the values of a column of a table; none of a type that nothing compares with."""
    kind, array = _typed(column)
    return Values({} if kind is None else {kind: array}, array.is_valid())


def values_of_json(column: JsonColumn, rows: Codes) -> Values:
    """Return the values of JSON texts; rows are positions in the column, -1 for none."""
    kinds = column.kinds_in(rows)
    pieces: dict[Kind, Any] = {}
    if JsonKind.NUMBER in kinds:
        pieces[Kind.NUMBER] = column.numbers(rows)
    elif JsonKind.WHOLE in kinds:
        pieces[Kind.NUMBER] = column.wholes(rows)
    if JsonKind.TEXT in kinds:
        pieces[Kind.TEXT] = column.strings(rows)
    if JsonKind.TRUTH in kinds:
        pieces[Kind.TRUTH] = column.truths(rows)
    if JsonKind.OTHER in kinds:
        pieces[Kind.LIST] = column.lists(rows)
    return Values(pieces, column.present(rows))


def values_of_literal(literal: Literal | ListLiteral) -> Values:
    """Return what is written in a query, as a value of every row."""
    yes = pa.scalar(True)
    if isinstance(literal, ListLiteral):
        items = [canonical_item(item.value) for item in literal.items]
        return Values({Kind.LIST: pa.scalar(items, pa.list_(pa.string()))}, yes)
    value = literal.value
    if isinstance(value, bool):
        return Values({Kind.TRUTH: pa.scalar(value)}, yes)
    if isinstance(value, str):
        return Values({Kind.TEXT: pa.scalar(value)}, yes)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        value = float(value)
    return Values({Kind.NUMBER: pa.scalar(value)}, yes)


def spread(values: Values, count: int) -> Values:
    """Return a value of every row, as what is written in a query is, as that many values."""
    pieces = {kind: spread_result(piece, count) for kind, piece in values.pieces.items()}
    return Values(pieces, spread_result(values.present, count))


def spread_result(result: Any, count: int) -> Any:
    """Return an array of one value for each row, of one that may be the same for all."""
    if not isinstance(result, pa.Scalar):
        return result
    return pa.array([result.as_py()], result.type).take(pa.array(np.zeros(count, np.int64)))


def compare(left: Values, operator: str, right: Values) -> Any:
    """Compare row by row: true, false, or null where a value is missing or of another kind.

    Raises:
        MismatchError: There are values, and none can be compared.
    """
    left, right = _with_times(left, right), _with_times(right, left)
    results = [
        _compared(kind, operator, left.pieces[kind], right.pieces[kind])
        for kind in Kind
        if kind in left.pieces
        and kind in right.pieces
        and (kind in _ORDERED or operator in ("=", "!="))
    ]
    if not results:
        if left.pieces and right.pieces:
            raise MismatchError
        return pa.scalar(None, pa.bool_())
    result = results[0] if len(results) == 1 else pc.coalesce(*results)
    if _nothing(result) and not _nothing(pc.if_else(pc.and_(left.present, right.present), 1, None)):
        raise MismatchError
    return result


def is_one_of(values: Values, listed: ListLiteral) -> Any:
    """Return which values are one of those listed; null where there is none to compare.

    Raises:
        MismatchError: None of those listed is of the kind of any value.
    """
    if not values.pieces:
        return pa.scalar(None, pa.bool_())
    by_kind: dict[Kind, list[Any]] = {}
    for literal in listed.items:
        one = _with_times(values_of_literal(literal), values)
        for kind, scalar in one.pieces.items():
            by_kind.setdefault(kind, []).append(scalar.as_py())
    results = []
    for kind, items in by_kind.items():
        if kind in values.pieces:
            array, wanted = _of_one_type(values.pieces[kind], items)
            found = pc.is_in(array, value_set=wanted)
            results.append(pc.if_else(pc.is_valid(array), found, pa.scalar(None, pa.bool_())))
    if not results:
        raise MismatchError
    return results[0] if len(results) == 1 else pc.coalesce(*results)


def contains(values: Values, item: Literal) -> Any:
    """Return which lists have an item; null where there is no list.

    Raises:
        MismatchError: There are values, and none is a list.
    """
    if Kind.LIST not in values.pieces:
        if values.pieces:
            raise MismatchError
        return pa.scalar(None, pa.bool_())
    lists = values.pieces[Kind.LIST]
    has_it = pc.equal(pc.list_flatten(lists), canonical_item(item.value))
    rows = pc.list_parent_indices(lists).filter(pc.fill_null(has_it, False))
    found = np.zeros(len(lists), bool)
    found[rows.to_numpy(zero_copy_only=False)] = True
    return pa.array(found, mask=lists.is_null().to_numpy(zero_copy_only=False))


def is_like(values: Values, pattern: str, *, ignore_case: bool) -> Any:
    """Return which texts are like a pattern, in which ``%`` is any text and ``_`` any letter.

    Raises:
        MismatchError: There are values, and none is a text.
    """
    if Kind.TEXT not in values.pieces:
        if values.pieces:
            raise MismatchError
        return pa.scalar(None, pa.bool_())
    # Arrow takes a backslash for an escape, which SQL does not without being told so.
    plain = pattern.replace("\\", "\\\\")
    return pc.match_like(values.pieces[Kind.TEXT], plain, ignore_case=ignore_case)


def time_of(text: str) -> datetime | None:
    """Return a date, or date and time, as a moment; in UTC if it does not say otherwise."""
    shape = text.strip().upper().replace("Z", "+00:00")
    if len(shape) in (4, 7) and shape.replace("-", "").isdigit():
        shape += "-01" * ((10 - len(shape)) // 3)
    try:
        moment = datetime.fromisoformat(shape)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        return None


def _typed(column: pa.ChunkedArray) -> tuple[Kind | None, Any]:  # noqa: PLR0911 - one a type
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return Kind.TEXT, plain_texts(column)
    array = column.combine_chunks()
    if pa.types.is_boolean(kind):
        return Kind.TRUTH, array
    if pa.types.is_integer(kind):
        return Kind.NUMBER, array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return Kind.NUMBER, array.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return Kind.TIME, array
    if pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type):
        return Kind.LIST, _as_json_items(array)
    return None, array


def _as_json_items(lists: pa.ListArray) -> pa.ListArray:
    encoded = lists.flatten().dictionary_encode()
    items = [canonical_item(item) for item in encoded.dictionary.to_pylist()]
    texts = pa.array(items, pa.string()).take(encoded.indices)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, texts, mask=lists.is_null())


def _with_times(values: Values, other: Values) -> Values:
    """Take a text for a time if that is what it is to be compared with."""
    text = values.pieces.get(Kind.TEXT)
    if Kind.TIME not in other.pieces or not isinstance(text, pa.Scalar):
        return values
    moment = time_of(text.as_py())
    if moment is None:
        return values
    return Values({**values.pieces, Kind.TIME: pa.scalar(moment, TIME)}, values.present)


def _compared(kind: Kind, operator: str, left: Any, right: Any) -> Any:
    if kind is Kind.LIST:
        left, right = _as_one_text(left), _as_one_text(right)
    elif left.type != right.type and kind is Kind.NUMBER:
        # Arrow would refuse whole numbers that no double has exactly.
        left, right = (pc.cast(side, pa.float64(), safe=False) for side in (left, right))
    return _COMPARE[operator](left, right)


def _as_one_text(lists: Any) -> Any:
    if isinstance(lists, pa.Scalar):
        return pa.scalar(json.dumps(lists.as_py()))
    texts = [None if items is None else json.dumps(items) for items in lists.to_pylist()]
    return pa.array(texts, pa.string())


def _of_one_type(array: Any, items: list[Any]) -> tuple[Any, Any]:
    if isinstance(array, pa.Scalar):
        array = pa.array([array.as_py()], array.type)
    if pa.types.is_integer(array.type) and any(isinstance(item, float) for item in items):
        array = array.cast(pa.float64(), safe=False)
    if pa.types.is_floating(array.type):
        items = [float(item) for item in items]
    return array, pa.array(items, array.type)


def _nothing(result: Any) -> bool:
    """Return whether there are rows, and all are null."""
    if isinstance(result, pa.Scalar):
        return not result.is_valid
    return len(result) > 0 and result.null_count == len(result)
