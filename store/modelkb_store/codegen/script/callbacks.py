"""The callbacks of a training, from the settings that they kept."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.api import callback_api
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.cut_values import is_cut, is_description
from modelkb_store.codegen.script.own_definitions import OwnDefinitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError


@dataclass(slots=True)
class Callbacks:
    """Writes callbacks.

    Attributes:
        recorded: The experiment.
        definitions: The user's own classes and functions.
        speller: Writes values.
        problems: What could not be written, for people.
    """

    recorded: Recorded
    definitions: OwnDefinitions
    speller: Speller
    problems: list[str] = field(default_factory=list)

    def write(self) -> list[ast.expr]:
        """Return those that can be written; of others the problems tell."""
        setting = self.recorded.settings.get("callbacks")
        described = setting.value if setting is not None and setting.source == "fit" else []
        found = []
        for each in described if isinstance(described, list) else []:
            if isinstance(each, Mapping) and "class_name" in each:
                written = self._callback(str(each["class_name"]), each.get("config") or {})
                found += [written] if written is not None else []
            else:
                self.problems.append(f"callbacks: {each}")
        return found

    def _callback(self, name: str, config: Mapping[str, Any]) -> ast.expr | None:
        if name in self.definitions.classes:
            known = self.definitions.constructor(name)
            arguments = self._arguments(name, config, *(known or (list(config), set())), {})
            return None if arguments is None else ast.Call(ast.Name(name), [], arguments)
        api = callback_api(name)
        if api is None:
            self.problems.append(f"callbacks: {name}, whose source is not known")
            return None
        arguments = self._arguments(name, config, list(api.parameters), set(api.required), api)
        if arguments is None:
            return None
        self.speller.names_used.add("keras")
        function = ast.parse(f"keras.callbacks.{name}", mode="eval").body
        return ast.Call(function, [], arguments)

    def _arguments(
        self,
        name: str,
        config: Mapping[str, Any],
        parameters: list[str],
        required: set[str],
        defaults: Mapping[str, Any],
    ) -> list[ast.keyword] | None:
        """Write a constructor's arguments; None if one that it needs is not known."""
        found, unknown = [], []
        for parameter in parameters:
            value = config.get(parameter)
            if parameter not in config:
                unknown.append(parameter)
            elif parameter not in defaults or defaults[parameter] != value:
                written = self._value(value, f"callback {name}: {parameter}")
                if written is None:
                    unknown.append(parameter)
                else:
                    found.append(ast.keyword(parameter, written))
        missing = [parameter for parameter in unknown if parameter in required]
        if missing:
            self.problems.append(f"callbacks: {name}, as its {', '.join(missing)} is not known")
            return None
        if unknown:
            self.problems.append(
                f"callbacks: {', '.join(unknown)} of {name}, which it does not keep; "
                "the script has the default"
            )
        return found

    def _value(self, value: Any, where: str) -> ast.expr | None:
        if is_cut(value) or is_description(value):
            return None
        if isinstance(value, str) and value in self.definitions.names:
            return ast.Name(value)
        if value == "<lambda>":
            return None
        try:
            return self.speller.value(value, where)
        except CodeGenerationError:
            return None
