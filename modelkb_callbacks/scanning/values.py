"""What the reader of a source knows of a value without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from modelkb_callbacks.scanning.origins import INPUT, NO_ORIGINS, LayerSite, Origin
from modelkb_callbacks.scanning.scopes import Scope

_DEEPEST_ORIGINS = 5


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
        origins: What the output of a functional model, or the input of an application, was
            made from.
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


def is_tensor(value: Value) -> bool:
    """Return whether a value is made from a model's input or by a layer."""
    return any(isinstance(origin, LayerSite) or origin is INPUT for origin in origins_of(value))


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
