"""Elements of values."""

from __future__ import annotations

import ast

from modelkb_callbacks.scanning.joining import join, join_all
from modelkb_callbacks.scanning.origins import changed
from modelkb_callbacks.scanning.values import (
    Choice,
    Constant,
    External,
    Item,
    Items,
    Mapping,
    Opaque,
    Value,
    all_origins,
    origins_of,
)

_ENVIRONMENT = "os.environ"


def element_of(owner: Value, key: Value) -> Value:
    """Return what is known of ``owner[key]``."""
    if isinstance(owner, Choice):
        return join_all(element_of(option, key) for option in owner.options)
    if isinstance(key, Choice) and isinstance(owner, (Items, Mapping)):
        return join_all(element_of(owner, option) for option in key.options)
    if isinstance(owner, Mapping):
        return _of_mapping(owner, key)
    if isinstance(owner, Items):
        return _of_items(owner, key)
    if isinstance(owner, Constant) and isinstance(key, Constant):
        return _of_text(owner.value, key.value)
    if isinstance(owner, External):
        what = {
            "sys.argv": "an argument of the command line",
            _ENVIRONMENT: "a variable of the environment",
        }
        return Opaque(what.get(owner.name, f"an element of {owner.name}"))
    origins = origins_of(owner)
    # np.eye(10)[labels]: what is looked up is changed; rows[order] are still those rows.
    taken = origins_of(key) if origins else changed(origins_of(key))
    return Opaque("an element of something unknown", origins | taken)


def _of_text(text: object, index: object) -> Value:
    if isinstance(text, str) and isinstance(index, int) and -len(text) <= index < len(text):
        return Constant(text[index])
    return Opaque("no such element")


def _of_mapping(owner: Mapping, key: Value) -> Value:
    if not isinstance(key, Constant):
        return _any_of(list(owner.items.values()), owner.exact)
    if key.value.__hash__ is not None and key.value in owner.items:
        return owner.items[key.value]
    return Opaque(f"the dictionary has no {key.value!r} that is known", origins_of(owner))


def _of_items(owner: Items, key: Value) -> Value:
    values = [item.value for item in owner.items]
    if not owner.exact or not isinstance(key, Constant):
        return _any_of(values, owner.exact)
    if isinstance(key.value, int) and -len(values) <= key.value < len(values):
        return values[key.value]
    return Opaque("no such element", all_origins(values))


def _any_of(values: list[Value], exact: bool) -> Value:
    if not values:
        return Opaque("an element that only a run can tell")
    joined = join_all(values)
    return joined if exact else join(joined, Opaque("an element that only a run can tell"))


def elements_of(value: Value, node: ast.AST) -> list[Item] | None:
    """Return the elements that iterating gives, None if they are unknown."""
    if isinstance(value, Items):
        return list(value.items)
    if isinstance(value, Mapping):
        return [Item(Constant(key), node) for key in value.items]
    if isinstance(value, Constant) and isinstance(value.value, str):
        return [Item(Constant(each), node) for each in value.value[:64]]
    return None
