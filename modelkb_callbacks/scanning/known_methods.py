"""Methods of texts, lists and dictionaries."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning import operations
from modelkb_callbacks.scanning.joining import join
from modelkb_callbacks.scanning.subscripts import element_of, elements_of
from modelkb_callbacks.scanning.values import (
    NONE,
    Arguments,
    Constant,
    Item,
    Items,
    Mapping,
    Opaque,
    Value,
    plain,
    tuple_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

# Without side effects, and no longer than what goes in.
_OF_TEXTS = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "endswith",
        "find",
        "isdigit",
        "join",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "startswith",
        "strip",
        "title",
        "upper",
    ]
)
# pathlib's, of paths that are followed as texts.
_OF_PATHS = frozenset(["absolute", "as_posix", "expanduser", "resolve"])


def container_method(
    machine: Machine,
    owner: Constant | Items | Mapping,
    name: str,
    arguments: Arguments,
    node: ast.Call,
) -> Value | None:
    """Return the result of a method of a text, list or dictionary; None if it is another's."""
    if isinstance(owner, Items):
        return _of_items(machine, owner, name, arguments, node)
    if isinstance(owner, Mapping):
        return _of_mapping(machine, owner, name, arguments, node)
    return _of_text(owner, name, arguments)


def _of_text(owner: Constant, name: str, arguments: Arguments) -> Value | None:
    if not isinstance(owner.value, str) or arguments.rest is not None:
        return None
    if name in _OF_PATHS:
        return owner
    values = tuple(each.value for each in arguments.positional)
    reason = "a text put together in a run"
    if name == "joinpath":
        return operations.over_options((owner, *values), lambda *all_: "/".join(all_), reason)
    if name == "format":
        names = list(arguments.keywords)
        keywords = tuple(each.value for each in arguments.keywords.values())
        count = len(values)
        return operations.over_options(
            (owner, *values, *keywords),
            lambda text, *rest: operations.text_format(
                text, list(rest[:count]), dict(zip(names, rest[count:], strict=True))
            ),
            reason,
        )
    if name in _OF_TEXTS:
        return operations.over_options(
            (owner, *values), lambda text, *rest: getattr(text, name)(*rest), reason
        )
    return None


def _of_items(
    machine: Machine, owner: Items, name: str, arguments: Arguments, node: ast.Call
) -> Value | None:
    first = arguments.value(position=0)
    if name in ("append", "add") and first is not None:
        put(machine, owner, [Item(first, node)])
        return NONE
    if name == "insert" and len(arguments.positional) > 1:
        at = first.value if isinstance(first, Constant) else None
        put(machine, owner, [Item(arguments.positional[1].value, node)], at)
        return NONE
    if name == "extend" and first is not None:
        added = elements_of(first, node)
        put(machine, owner, added if added is not None else [])
        owner.exact = owner.exact and isinstance(first, Items) and first.exact
        return NONE
    if name == "copy":
        return Items(owner.kind, list(owner.items), owner.exact, machine.birth)
    if name == "pop" and owner.items and not machine.hides(owner.birth):
        return owner.items.pop().value if machine.changes(owner.birth) else owner.items[-1].value
    if name in ("sort", "reverse", "remove", "clear"):
        owner.exact = False
        return NONE
    return None


def put(machine: Machine, owner: Items, items: list[Item], at: object = None) -> None:
    """Put elements into a list, at its end unless a place is given."""
    if machine.hides(owner.birth):
        return
    if len(owner.items) + len(items) > operations.MOST_ITEMS:
        owner.exact = False
        return
    place = at if isinstance(at, int) else len(owner.items)
    owner.items[place:place] = items
    owner.exact = owner.exact and machine.changes(owner.birth)


def _of_mapping(
    machine: Machine, owner: Mapping, name: str, arguments: Arguments, node: ast.Call
) -> Value | None:
    if name in ("get", "setdefault", "pop"):
        return _got(owner, arguments)
    if name == "update":
        return _updated(machine, owner, arguments)
    if name in ("copy", "_asdict", "todict", "to_dict"):
        return Mapping(dict(owner.items), owner.exact, machine.birth)
    if name == "keys":
        return Items("list", [Item(Constant(key), node) for key in owner.items], owner.exact)
    if name == "values":
        return Items("list", [Item(value, node) for value in owner.items.values()], owner.exact)
    if name == "items":
        pairs = [
            Item(tuple_of(node, Constant(key), value), node) for key, value in owner.items.items()
        ]
        return Items("list", pairs, owner.exact)
    return None


def _got(owner: Mapping, arguments: Arguments) -> Value:
    key = arguments.value(position=0) or NONE
    default = arguments.value("default", position=1) or NONE
    if not isinstance(key, Constant):
        return element_of(owner, key)
    if key.value.__hash__ is not None and key.value in owner.items:
        return owner.items[key.value]
    return default if owner.exact else join(default, Opaque("the dictionary is known in part"))


def _updated(machine: Machine, owner: Mapping, arguments: Arguments) -> Value:
    first = arguments.value(position=0)
    new: dict[object, Value] = {}
    if isinstance(first, Mapping):
        new.update(first.items)
    elif first is not None:
        owner.exact = False
        if not isinstance(first, Items):
            # Whatever it brings may replace what is known.
            owner.items = {
                key: join(value, Opaque("updated with something unknown"))
                for key, value in owner.items.items()
            }
    new.update({key: each.value for key, each in arguments.keywords.items()})
    if machine.hides(owner.birth):
        return NONE
    for key, value in new.items():
        old = owner.items.get(key)
        certain = machine.changes(owner.birth) or old is None
        owner.items[key] = value if certain or old is None else join(old, value)
    return NONE


def texts_of(value: Value) -> list[str]:
    """Return the texts of a list of texts; empty if they are not all known."""
    try:
        found = plain(value)
    except ValueError:
        return []
    if isinstance(found, str):
        return [found]
    if isinstance(found, (list, tuple)):
        return [each for each in found if isinstance(each, str)]
    return []
