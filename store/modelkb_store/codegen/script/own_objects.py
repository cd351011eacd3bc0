"""Losses and metrics of the user's own classes, with what they were made with."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.values import Speller, is_name
from modelkb_store.codegen.network.auto_names import snake_case
from modelkb_store.codegen.script.cut_values import is_cut
from modelkb_store.codegen.script.own_definitions import Constructor, OwnDefinitions

# What the classes of Keras above say of themselves, with what they say without being told.
_OF_KERAS = {"reduction": "sum_over_batch_size", "name": None, "dtype": None}


@dataclass(slots=True)
class OwnObjects:
    """Writes what ``compile`` was given, where objects of the user's classes may be in it.

    Keras keeps what their ``get_config`` says, which often is nothing of their own; the recorder
    also kept the attributes that are named as arguments of the constructor.

    Attributes:
        definitions: The user's own classes and functions.
        settings: The recorded settings by name, such as ``metrics.mine.scale``.
        speller: Writes values.
        problems: What is not known, for people.
    """

    definitions: OwnDefinitions
    settings: Mapping[str, Any]
    speller: Speller
    problems: list[str] = field(default_factory=list)

    def structure(self, argument: str, value: Any) -> ast.expr:
        """Write an argument of ``compile``: one object, or lists and dictionaries of objects.

        Args:
            argument: Its name.
            value: What was given, as Keras serializes it.

        Raises:
            CodeGenerationError: A part of it cannot be written.
        """
        return self._written(argument, value, argument)

    def _written(self, argument: str, value: Any, prefix: str) -> ast.expr:
        if isinstance(value, (list, tuple)):
            return ast.List([self._written(argument, each, "") for each in value])
        if isinstance(value, Mapping) and "class_name" not in value:
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
            return ast.Dict(keys, [self._written(argument, each, "") for each in value.values()])
        name = _class_name(value)
        constructor = self.definitions.constructor_of(name)
        if constructor is None or not isinstance(value.get("config"), Mapping):
            return self.speller.value(value, f"compile: {argument}")
        own_name = value["config"].get("name") or snake_case(name)
        return self._object(name, constructor, value["config"], prefix or f"{argument}.{own_name}")

    def _object(
        self, name: str, constructor: Constructor, config: Mapping[str, Any], prefix: str
    ) -> ast.expr:
        where = f"compile: {prefix}"
        given = {
            key: value
            for key, value in config.items()
            if (key in constructor.parameters or constructor.takes_more) and is_name(key)
        }
        for key in constructor.parameters:
            recorded = self.settings.get(f"{prefix}.{key}")
            if key not in given and recorded is not None and not is_cut(recorded):
                given[key] = recorded
            elif key not in given and not self._is_default(name, constructor, key):
                self.problems.append(
                    f"compile: {key} of {name}, which it does not keep; the script has the default"
                )
        usual = {**_OF_KERAS, "name": snake_case(name), **constructor.defaults}
        keywords = [
            ast.keyword(key, self.speller.value(value, where))
            for key, value in given.items()
            if key != "dtype" and not (key in usual and usual[key] == value)
        ]
        return ast.Call(ast.Name(name), [], keywords)

    def _is_default(self, name: str, constructor: Constructor, key: str) -> bool:
        """Return whether a setting that is not recorded was the default: others are recorded."""
        return key in _OF_KERAS or (
            key not in constructor.required and self.definitions.keeps(name, key)
        )


def _class_name(value: Any) -> str:
    name = value.get("class_name") if isinstance(value, Mapping) else None
    return str(name or "").rpartition(">")[2]
