"""What the reader of a source knows of a value without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from modelkb_callbacks.scanning.scopes import Scope

_MOST_OPTIONS = 6
_DEEPEST_ORIGINS = 5
NO_ORIGINS: frozenset[Origin] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class LayerSite:
    """The place in the source where a layer is made.

    Attributes:
        line: Its line.
        column: Its column.
        name: The layer's class.
    """

    line: int
    column: int
    name: str


@dataclass(frozen=True, slots=True)
class DataPart:
    """A part of a dataset that a value came from.

    Attributes:
        loader: Canonical name of what loaded it.
        line: Where.
        split: ``train``, ``test``, or empty.
        role: ``x``, ``y``, or empty.
    """

    loader: str
    line: int
    split: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done to a value, such as ``input`` or ``one-hot``."""

    name: str


Origin: TypeAlias = LayerSite | DataPart | Mark
INPUT = Mark("input")
ONE_HOT = Mark("one-hot")
CHANGED = Mark("changed")
PART = Mark("part")
DATASET = Mark("tf.data")


@dataclass(frozen=True, slots=True)
class Constant:
    """A known number, text, truth value or None."""

    value: object


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that only a run can tell.

    Attributes:
        reason: Why.
        origins: What it was made from.
        maker: The layer whose output it is.
    """

    reason: str
    origins: frozenset[Origin] = NO_ORIGINS
    maker: LayerSite | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values; which one, only a run can tell."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class External:
    """A module, class or function that is not of this source, by its canonical name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An element of a list.

    Attributes:
        value: It.
        site: Where it is put in; a loop puts in one, however often it runs.
    """

    value: Value
    site: ast.AST


@dataclass(slots=True, eq=False)
class Items:
    """A list, tuple or set.

    Attributes:
        kind: ``list``, ``tuple`` or ``set``.
        items: Its elements as far as they are known.
        exact: Whether these are all, each once.
        birth: How deep in conditions, and in branches not taken, it was made.
    """

    kind: str
    items: list[Item]
    exact: bool = True
    birth: tuple[int, int] = (0, 0)


@dataclass(slots=True, eq=False)
class Mapping:
    """A dictionary, or a namespace whose attributes are like keys.

    Attributes:
        items: What is known of it.
        exact: Whether this is all.
        birth: How deep in conditions, and in branches not taken, it was made.
    """

    items: dict[object, Value]
    exact: bool = True
    birth: tuple[int, int] = (0, 0)


@dataclass(slots=True, eq=False)
class Function:
    """A function of the source.

    Attributes:
        node: Its definition.
        scope: The scope it was defined in.
        name: Its name; of a function made by another one, that one's name.
        defaults: Values of its parameters' defaults by name.
        receiver: The object that a method is bound to.
        owner: The class it is defined in.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    name: str
    defaults: dict[str, Value]
    receiver: Value | None = None
    owner: Class | None = None


@dataclass(slots=True, eq=False)
class Class:
    """A class of the source.

    Attributes:
        name: Its name.
        node: Its definition.
        bases: Its bases.
        attributes: What its body binds, by name.
        kind: What it is of Keras', as :func:`canonical_names.kind_of`; None for others.
    """

    name: str
    node: ast.ClassDef
    bases: list[Value]
    attributes: dict[str, Value]
    kind: str | None = None


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the source."""

    cls: Class
    attributes: dict[str, Value]
    site: LayerSite
    arguments: Arguments
    origins: frozenset[Origin] = NO_ORIGINS
    birth: tuple[int, int] = (0, 0)


@dataclass(slots=True, eq=False)
class Made:
    """An object of a class that is not of this source.

    Attributes:
        name: Canonical name of the class.
        arguments: What it was made with.
        site: Where.
        origins: What its arguments were made from.
        options: A parser's options of the command line and their defaults.
        attributes: What is set on it later.
    """

    name: str
    arguments: Arguments
    site: LayerSite
    origins: frozenset[Origin] = NO_ORIGINS
    options: Mapping | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Network:
    """A Keras model that the source puts together.

    Attributes:
        kind: ``sequential``, ``functional``, ``application`` or ``other``.
        class_name: What was called to make it.
        node: Where.
        name: Its name, or the first variable that it was bound to.
        elements: A Sequential's layers.
        origins: What the output of a functional model was made from.
        output: The layer that gives its output.
        is_part: Whether it is only a part of a user's layer.
        birth: As of lists.
        cls: The user's class that it is an object of.
    """

    kind: str
    class_name: str
    node: ast.AST
    name: str | None = None
    elements: list[Item] = field(default_factory=list)
    origins: frozenset[Origin] = NO_ORIGINS
    output: LayerSite | None = None
    is_part: bool = False
    birth: tuple[int, int] = (0, 0)
    cls: Class | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """An attribute of a value that is no object of a class of this source."""

    owner: Value
    name: str


Value: TypeAlias = (
    Constant
    | Opaque
    | Choice
    | External
    | Items
    | Mapping
    | Function
    | Class
    | Instance
    | Made
    | Network
    | Method
)


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """One argument of a call: its value and where it is written."""

    value: Value
    node: ast.expr


@dataclass(slots=True, eq=False)
class Arguments:
    """The arguments of a call.

    Attributes:
        positional: Those by position.
        keywords: Those by name; those of a known ``**`` too.
        rest: What ``*`` or ``**`` could not be told; None if nothing.
    """

    positional: list[Argument] = field(default_factory=list)
    keywords: dict[str, Argument] = field(default_factory=dict)
    rest: Argument | None = None

    def find(self, *names: str, position: int | None = None) -> Argument | None:
        """Return an argument by one of its names, else by its position."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def value(self, *names: str, position: int | None = None) -> Value | None:
        """Return the value of :meth:`find`."""
        found = self.find(*names, position=position)
        return found.value if found else None

    def all(self) -> list[Argument]:
        """Return all arguments."""
        rest = [self.rest] if self.rest else []
        return [*self.positional, *self.keywords.values(), *rest]

    def origins(self) -> frozenset[Origin]:
        """Return what the arguments were made from."""
        return all_origins(argument.value for argument in self.all())


NONE = Constant(None)


def origins_of(value: Value, depth: int = 0) -> frozenset[Origin]:
    """Return what a value was made from: layers, parts of datasets."""
    if isinstance(value, (Opaque, Made, Instance)):
        return value.origins
    if depth > _DEEPEST_ORIGINS:
        return NO_ORIGINS
    if isinstance(value, Choice):
        return all_origins(value.options, depth + 1)
    if isinstance(value, Items):
        return all_origins((item.value for item in value.items), depth + 1)
    if isinstance(value, Mapping):
        return all_origins(value.items.values(), depth + 1)
    if isinstance(value, Method):
        return origins_of(value.owner, depth + 1)
    return NO_ORIGINS


def all_origins(values: Iterable[Value], depth: int = 0) -> frozenset[Origin]:
    """Return what several values were made from."""
    found = [origins for value in values if (origins := origins_of(value, depth))]
    return frozenset().union(*found) if found else NO_ORIGINS


def changed(origins: frozenset[Origin]) -> frozenset[Origin]:
    """Return the origins of something computed from what has these; none stay none."""
    return origins | {CHANGED} if origins else origins


def is_tensor(value: Value) -> bool:
    """Return whether a value is made from a model's input or by a layer."""
    return any(isinstance(origin, LayerSite) or origin is INPUT for origin in origins_of(value))


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


def tuple_of(node: ast.AST, *values: Value) -> Items:
    """Return a tuple."""
    return Items("tuple", [Item(value, node) for value in values])


def plain(value: Value, depth: int = 0) -> object:
    """Return the Python value of constants.

    Raises:
        ValueError: It is not known, or not of constants only.
    """
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Items) and value.exact and depth < _DEEPEST_ORIGINS:
        contents = [plain(item.value, depth + 1) for item in value.items]
        return tuple(contents) if value.kind == "tuple" else contents
    if isinstance(value, Mapping) and value.exact and depth < _DEEPEST_ORIGINS:
        return {key: plain(item, depth + 1) for key, item in value.items.items()}
    raise ValueError("not a constant")
