"""Conditions in the query language of docs/queries.md, composed from what a reader chooses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, timedelta

from modelkb_store.errors import QueryError
from modelkb_store.queries.parser import parse_condition
from modelkb_store.queries.syntax import Disjunction

Value = str | bool | int | float | list["Value"]
_PLAIN = re.compile(r"[^\W\d]\w*\Z")
_KEYWORDS = {
    *("and", "or", "not", "in", "like", "ilike", "between", "is", "null", "none", "nan"),
    *("true", "false", "asc", "desc"),
}


def can_be_named(column: str) -> bool:
    """Return whether the language has a way to name a column: all but those with backticks."""
    return "`" not in column and "\n" not in column and all(column.split("."))


def written_name(column: str) -> str:
    """Return a column of the listing as it is written in a query.

    Example:
        >>> written_name("params.my own name"), written_name("metrics.val_loss")
        ('params.`my own name`', 'metrics.val_loss')
    """
    return ".".join(
        part if _PLAIN.match(part) and part.lower() not in _KEYWORDS else f"`{part}`"
        for part in column.split(".")
    )


def can_be_written(value: object) -> bool:
    """Return whether a value can stand in a query: a text, truth value, number or a list."""
    if isinstance(value, list):
        return all(can_be_written(item) and not isinstance(item, list) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, bool, int))


def written_value(value: Value) -> str:
    """Return a value as it is written in a query: texts in quotes, which are doubled inside."""
    if isinstance(value, list):
        return f"[{', '.join(map(written_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def equal_to(column: str, value: Value | None) -> str:
    """Return the condition that a column has a value, or none at all."""
    if value is None:
        return f"{written_name(column)} is null"
    return f"{written_name(column)} = {written_value(value)}"


def one_of(column: str, values: Iterable[Value]) -> str:
    """Return the condition that a column has one of some values."""
    chosen = list(values)
    if len(chosen) == 1:
        return equal_to(column, chosen[0])
    if any(isinstance(value, list) for value in chosen):
        return f"({' or '.join(equal_to(column, value) for value in chosen)})"
    return f"{written_name(column)} in ({', '.join(map(written_value, chosen))})"


def in_range(column: str, low: float | None, high: float | None) -> str:
    """Return the condition that a number is in a range, of which one end may be open."""
    name = written_name(column)
    if low is not None and high is not None:
        return f"{name} between {written_value(low)} and {written_value(high)}"
    if low is not None:
        return f"{name} >= {written_value(low)}"
    return f"{name} <= {written_value(high)}" if high is not None else f"not {name} is null"


def has_text(column: str, text: str) -> str:
    """Return the condition that a text has another in it, whatever the case."""
    return f"{written_name(column)} ilike {written_value(f'%{text}%')}"


def has_any_tag(tags: Iterable[str]) -> str:
    """Return the condition that an experiment has one of some tags."""
    conditions = [f"{written_value(tag)} in tags" for tag in tags]
    return conditions[0] if len(conditions) == 1 else f"({' or '.join(conditions)})"


def in_days(column: str, first: date, last: date) -> str:
    """Return the condition that a time is on one of some days, in UTC; the last is included."""
    name, end = written_name(column), last + timedelta(days=1)
    return f"{name} >= '{first.isoformat()}' and {name} < '{end.isoformat()}'"


def both(query: str, condition: str) -> str:
    """Return a query with one more condition.

    Example:
        >>> both("params.epochs = 3 or params.epochs = 4", "status = 'finished'")
        "(params.epochs = 3 or params.epochs = 4) and status = 'finished'"
    """
    query = query.strip()
    if not query:
        return condition
    return f"({query}) and {condition}" if _is_loose(query) else f"{query} and {condition}"


def _is_loose(query: str) -> bool:
    """Return whether `and` behind a query would bind to a part of it only."""
    try:
        return isinstance(parse_condition(query), Disjunction)
    except QueryError:
        return False  # it is shown as it stands, for the reader to mend
