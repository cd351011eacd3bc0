"""The callbacks of a training, from the settings that they kept."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.api import find_class
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.cut_values import is_cut, is_description
from modelkb_store.codegen.script.own_definitions import OwnDefinitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError

_MODULE = "keras.callbacks"
# What they call, and of which only the name is recorded.
_LAMBDA_PARAMETERS = (
    *("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end"),
    *("on_train_batch_begin", "on_train_batch_end"),
)
_CALLED = {"LearningRateScheduler": ("schedule",), "LambdaCallback": _LAMBDA_PARAMETERS}
# They keep only what they were given.
_SILENT = ("LambdaCallback",)
# Taken, and forgotten before the training begins.
_WITHOUT_EFFECT = {"ReduceLROnPlateau": ("baseline",)}


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
            return self._own(name, config)
        described = find_class(_MODULE, name)
        if described is None or described.kind != "callbacks":
            self.problems.append(f"callbacks: {name}, whose source is not known")
            return None
        known, replaced = {}, {}
        for parameter in described.parameters:
            if parameter not in config:
                continue
            value = config[parameter]
            if name in _CALLED and isinstance(value, str) and parameter in _CALLED[name]:
                if value in self.definitions.names:
                    replaced[parameter] = ast.Name(value)
                    known[parameter] = value
            elif not is_cut(value) and not is_description(value):
                known[parameter] = value
        if not self._is_complete(name, described.parameters, described.required, known, config):
            return None
        entry = {"module": _MODULE, "class_name": name, "config": known}
        try:
            return self.speller.construct(entry, f"callback {name}", replaced=replaced)
        except CodeGenerationError as error:
            self.problems.append(f"callbacks: {name} ({error})")
            return None

    def _own(self, name: str, config: Mapping[str, Any]) -> ast.expr | None:
        """Write a callback of a class of the user's."""
        parameters, required = self.definitions.constructor(name) or (list(config), set())
        known: dict[str, ast.expr] = {}
        for parameter in parameters:
            value = config.get(parameter)
            if parameter not in config or is_cut(value) or is_description(value):
                continue
            if isinstance(value, str) and value in self.definitions.names:
                known[parameter] = ast.Name(value)
                continue
            try:
                known[parameter] = self.speller.value(value, f"callback {name}: {parameter}")
            except CodeGenerationError:
                continue
        if not self._is_complete(name, parameters, required, known, config):
            return None
        return ast.Call(ast.Name(name), [], [ast.keyword(*each) for each in known.items()])

    def _is_complete(
        self,
        name: str,
        parameters: Collection[str],
        required: Collection[str],
        known: Collection[str],
        config: Mapping[str, Any],
    ) -> bool:
        """Return whether a callback can be made; notes what is not known of it."""
        missing = [each for each in parameters if each in required and each not in known]
        if missing:
            self.problems.append(f"callbacks: {name}, as its {', '.join(missing)} is not known")
            return False
        silent = name in _SILENT
        expected = [p for p in parameters if p not in _WITHOUT_EFFECT.get(name, ())]
        unknown = [p for p in expected if p not in known and (p in config or not silent)]
        if unknown:
            self.problems.append(
                f"callbacks: {', '.join(unknown)} of {name}, which it does not keep; "
                "the script has the default"
            )
        return True
