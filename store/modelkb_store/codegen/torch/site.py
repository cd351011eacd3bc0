"""Where a layer is called: what its writer reads, and what it writes with."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.network.network import Layer
from modelkb_store.codegen.torch.code import code
from modelkb_store.codegen.torch.draft import Draft
from modelkb_store.codegen.torch.settings import Settings
from modelkb_store.codegen.torch.shapes import checked_shape
from modelkb_store.codegen.torch.value import Shape, Value, to_first, to_last
from modelkb_store.errors import CodeGenerationError


@dataclass(slots=True)
class Site:
    """One call of a layer, in the class that is being written.

    Attributes:
        layer: The layer.
        draft: The class.
        place: Where Keras' file has the layer's variables.
        args: What the layer is called with, with values in the place of tensors.
        kwargs: The same by name.
        write: Writes the call of another layer, as of one inside this one.
    """

    layer: Layer
    draft: Draft
    place: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    write: Callable[[Layer, Draft, str, tuple[Any, ...], Mapping[str, Any]], list[Value]]
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(self.layer.config, self.where)

    @property
    def where(self) -> str:
        """The layer, for errors."""
        return f"layer {self.layer.name!r} ({self.layer.class_name})"

    @property
    def values(self) -> list[Value]:
        """All tensors that the layer is called with by position."""
        return list(values_in(self.args))

    @property
    def x(self) -> Value:
        """The one tensor that the layer is called with."""
        values = self.values
        if len(values) != 1:
            self.refuse(f"it is called with {len(values)} tensors")
        return values[0]

    def refuse(self, problem: str) -> Any:
        """Complain that the layer cannot be written."""
        raise CodeGenerationError(self.where, problem, "write code for Keras, or replace it")

    def note(self, problem: str) -> None:
        """Tell people what is not exactly the same."""
        self.draft.shared.problems.append(f"{self.where}: {problem}")

    def module(self, made: ast.expr, load: str | None = None, part: str = "") -> ast.Attribute:
        """Make a module of the layer, once for all of its calls.

        Args:
            made: The expression that makes it.
            load: The function of our own that puts Keras' variables into it.
            part: Which part of the layer it is, by its path in Keras' file.
        """
        key = f"{self.place}/{part}" if part else self.place
        if key in self.draft.attributes:
            return ast.Attribute(ast.Name("self"), self.draft.attributes[key])
        wish = f"{self.layer.name}_{part}" if part else self.layer.name
        attribute = self.draft.make(key, wish, made, load)
        if not self.layer.config.get("trainable", True):
            self.draft.freeze(attribute)
        return ast.Attribute(ast.Name("self"), attribute)

    def piece(self, name: str) -> ast.Name:
        """Use a function or class of our own; it then stands in the code."""
        self.draft.shared.pieces.add(name)
        return ast.Name(name)

    def assign(self, expression: ast.expr, wish: str | None = None) -> ast.Name:
        """Keep what is needed more than once in a variable."""
        return self.draft.assign(expression, wish or self.layer.name, named=wish is not None)

    def first(self, value: Value, rank: int) -> Value:
        """Return a tensor with its channels second.

        Args:
            value: The tensor.
            rank: How many axes it must have.
        """
        if value.shape is not None and len(value.shape) != rank:
            self.refuse(f"it is called with a tensor of the shape {value.shape}")
        if value.first:
            return value
        shape = value.shape or (None,) * rank
        node = self.draft.converted(value.node, first=True, order=to_first(rank))
        return Value(node, shape, first=True, mask=value.mask)

    def last(self, value: Value) -> Value:
        """Return a tensor as it is in Keras."""
        if not value.first or value.shape is None:
            return value
        node = self.draft.converted(value.node, first=False, order=to_last(len(value.shape)))
        return Value(node, value.shape, mask=value.mask)

    def alike(self, values: list[Value]) -> list[Value]:
        """Return tensors that all have their channels in the same place."""
        ranks = {len(each.shape) if each.shape else None for each in values}
        if all(each.first for each in values) and len(ranks) == 1:
            return values
        return [self.last(each) for each in values]

    def channels(self, value: Value, axis: int = -1) -> int:
        """Return how long an axis of a tensor is."""
        size = None if value.shape is None else value.shape[axis]
        if size is None:
            size = (self.built_shape() or (None,))[axis]
        if not isinstance(size, int) or isinstance(size, bool):
            self.refuse("the shape of its input is not known; save the model after it was built")
        assert isinstance(size, int)
        return size

    def built_shape(self, key: str = "input_shape") -> Shape | None:
        """Return the shape of the input that the layer was built with."""
        built = self.layer.build_config or {}
        shape = built.get(key) or (built.get("shapes_dict") or {}).get(key)
        return checked_shape(shape)

    def elementwise(self, expression: Callable[[ast.expr], ast.expr]) -> Value:
        """Return what is made of each number of the tensor by itself."""
        x = self.x
        return x.changed(expression(x.node))


def values_in(structure: Any) -> Iterator[Value]:
    """Walk the tensors in a structure, dictionaries by their sorted keys as Keras does."""
    if isinstance(structure, Value):
        yield structure
    elif isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from values_in(structure[key])
    elif isinstance(structure, (list, tuple)):
        for each in structure:
            yield from values_in(each)


def both(first: ast.expr | None, second: ast.expr | None, operator: str) -> ast.expr | None:
    """Join two masks, of which either may be missing."""
    if first is None or second is None:
        return first or second
    return code(f"a {operator} b", a=first, b=second)
