"""What is known of a value that is one of several."""

from __future__ import annotations

from collections.abc import Iterable

from modelkb_callbacks.scanning.values import (
    NONE,
    Choice,
    Constant,
    External,
    Items,
    Mapping,
    Opaque,
    Value,
    all_origins,
)

_MOST_OPTIONS = 6


def same(one: Value, other: Value) -> bool:
    """Return whether two values are surely the same."""
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return type(one.value) is type(other.value) and one.value == other.value
    if isinstance(one, (Items, Mapping)):
        return type(one) is type(other) and _same_contents(one, other)
    if isinstance(one, (Opaque, External)):
        return one == other
    return False


def _same_contents(one: Value, other: Value) -> bool:
    if isinstance(one, Items) and isinstance(other, Items):
        return (
            (one.kind, one.exact) == (other.kind, other.exact)
            and len(one.items) == len(other.items)
            and all(
                isinstance(a.value, Constant) and same(a.value, b.value)
                for a, b in zip(one.items, other.items, strict=True)
            )
        )
    return False


def join(one: Value, other: Value) -> Value:
    """Return what is known of a value that is one of two."""
    if same(one, other):
        return one
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        maker = one.maker if one.maker == other.maker else None
        return Opaque(one.reason, one.origins | other.origins, maker)
    options: list[Value] = []
    for option in (*_options(one), *_options(other)):
        if not any(same(option, known) for known in options):
            options.append(option)
    if len(options) > _MOST_OPTIONS:
        return Opaque("one of many values", all_origins(options))
    return Choice(tuple(options)) if len(options) > 1 else options[0]


def _options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, Choice) else (value,)


def options_of(value: Value) -> tuple[Value, ...]:
    """Return what a value can be: itself, or the options of a choice."""
    return _options(value)


def join_all(values: Iterable[Value]) -> Value:
    """Return what is known of a value that is one of several."""
    joined: Value | None = None
    for value in values:
        joined = value if joined is None else join(joined, value)
    return NONE if joined is None else joined
