"""The constructor's call of a model of the user's own class, with what the call was given."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.api import find_class
from modelkb_store.codegen.keras.naming import identifier
from modelkb_store.codegen.keras.spelling import Spelling
from modelkb_store.codegen.keras.values import Speller, is_name
from modelkb_store.codegen.network.arguments import SAME, layers_in_order
from modelkb_store.codegen.network.network import Layer, Network
from modelkb_store.codegen.network.ordering import constructed
from modelkb_store.codegen.network.parsing import parse_model
from modelkb_store.errors import CodeGenerationError


@dataclass(slots=True)
class OwnModel:
    """Writes the call, and what has to stand before it.

    Models and layers are made in the order in which the user's code made them; where the order of
    the arguments is another, or one object is given twice, they get variables.

    Attributes:
        given: The arguments as they were recorded, by name, in the order of the call.
        where: What it is, for errors.
        spelling: Writes layers and values.
        function_call: Returns the call of a function that makes a model, named for an argument.
        names: Names of the user's classes and functions; a text that is one of them means it.
        taken: Names that variables cannot have.
    """

    given: Mapping[str, Any]
    where: str
    spelling: Spelling
    function_call: Callable[[Network, str], ast.expr]
    names: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    _made: dict[str, ast.expr] = field(default_factory=dict)

    def write(self, function: ast.expr) -> tuple[list[ast.stmt], ast.Call]:
        """Return statements, and the call that comes after them.

        Args:
            function: The class.

        Raises:
            CodeGenerationError: An argument cannot be written.
        """
        odd = next((name for name in self.given if not is_name(name)), None)
        if odd is not None:
            raise CodeGenerationError(
                self.where, f"it has {odd!r}, which is no argument", "rename it in get_config()"
            )
        ordered = layers_in_order(self.given)
        paths = _paths(self.given, "")
        in_call = [path for path in paths if path in dict(ordered)]
        needs_variables = [path for path, _ in ordered] != in_call or any(paths.values())
        statements: list[ast.stmt] = []
        for path, entry in ordered:
            made = self._layer(path, entry)
            if needs_variables:
                variable = self._variable(path)
                statements.append(ast.Assign([ast.Name(variable)], made))
                made = ast.Name(variable)
            self._made[path] = made
        keywords = [ast.keyword(name, self._value(each, name)) for name, each in self.given.items()]
        return statements, ast.Call(function, [], keywords)

    def _layer(self, path: str, entry: Mapping[str, Any]) -> ast.expr:
        part = parse_model(entry)
        if isinstance(part, Network):
            return self.function_call(part, path)
        return self.spelling.layer(part)

    def _variable(self, path: str) -> str:
        wish = name = identifier(path)
        number = 1
        used = {each.id for each in self._made.values() if isinstance(each, ast.Name)}
        while name in self.taken or name in used:
            number += 1
            name = f"{wish}_{number}"
        return name

    def _value(self, value: Any, path: str) -> ast.expr:
        if path in self._made:
            return self._made[path]
        if isinstance(value, Mapping) and value.get("class_name") == SAME:
            return self._made[str(value["config"])]
        if isinstance(value, list):
            return ast.List([self._value(each, f"{path}.{n}") for n, each in enumerate(value)])
        if isinstance(value, Mapping) and "class_name" not in value:
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
            return ast.Dict(keys, [self._value(each, f"{path}.{k}") for k, each in value.items()])
        return own_value(self.spelling.speller, value, f"{self.where}: {path}", self.names)


def own_value(
    speller: Speller, value: Any, where: str, names: Collection[str] = frozenset()
) -> ast.expr:
    """Write a value for code of the user's: lists stay lists, and objects are no texts.

    Args:
        speller: Writes what is in it.
        value: As it was recorded.
        where: What it belongs to, for errors.
        names: Names of the user's classes and functions; a text that is one of them means it.

    Raises:
        CodeGenerationError: It cannot be written.
    """
    if isinstance(value, list):
        return ast.List([own_value(speller, each, where, names) for each in value])
    if isinstance(value, Mapping) and "class_name" not in value:
        keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
        return ast.Dict(keys, [own_value(speller, v, where, names) for v in value.values()])
    if isinstance(value, str) and value in names:
        return ast.Name(value)
    if isinstance(value, Mapping) and find_class(value.get("module"), str(value["class_name"])):
        return speller.construct(value, where)
    return speller.value(value, where)


def constructed_for(given: Mapping[str, Any]) -> list[Layer | Network]:
    """Return all layers and networks that are made for a call, in the order in which they are."""
    parts = [parse_model(entry) for _, entry in layers_in_order(given)]
    return [each for part in parts for _, each in constructed(part)]


def _paths(value: Any, path: str) -> dict[str, str | None]:
    """Return the paths of all values, each with the path of what it is the same as, if any."""
    if isinstance(value, Mapping) and "class_name" in value:
        return {path: str(value.get("config")) if value["class_name"] == SAME else None}
    if not isinstance(value, (Mapping, list)):
        return {path: None}
    found: dict[str, str | None] = {}
    for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
        found |= _paths(each, f"{path}.{key}" if path else str(key))
    return found
