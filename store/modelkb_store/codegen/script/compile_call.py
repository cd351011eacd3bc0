"""The call of ``compile``, with everything that was set."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.api import find_class
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.constants import Constants
from modelkb_store.codegen.script.own_compile import own_compile_keywords
from modelkb_store.codegen.script.own_definitions import OwnDefinitions, parse_definitions
from modelkb_store.codegen.script.own_objects import OwnObjects
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError
from modelkb_store.shortest_float import shortest_float

_WHERE = "compile"
_LEARNING_RATE = "learning_rate"
_DEFAULTS = {
    "loss": None,
    "loss_weights": None,
    "metrics": None,
    "weighted_metrics": None,
    "run_eagerly": False,
    "steps_per_execution": 1,
}
_OF_OBJECTS = ("loss", "metrics", "weighted_metrics")


@dataclass(slots=True)
class CompileCall:
    """Writes how a model was compiled.

    Attributes:
        recorded: The experiment.
        speller: Writes values.
        constants: Gets the learning rate.
        definitions: The user's own classes and functions.
        problems: What could not be written, for people.
    """

    recorded: Recorded
    speller: Speller
    constants: Constants
    definitions: OwnDefinitions = field(default_factory=lambda: parse_definitions(""))
    problems: list[str] = field(default_factory=list)

    def keywords(self) -> list[ast.keyword] | None:
        """Return the arguments of the call; None if the model was never compiled."""
        config = self.recorded.compile_config
        settings = self.recorded.of_source("compile")
        if config is None:
            config = _config_from(settings)
            if config is None:
                self.problems.append("compile: how the model was compiled is not known")
                return None
            self.problems.append(
                "compile: Keras could not serialize it; written from the recorded "
                "hyperparameters, which may not be all"
            )
        found = [self._optimizer(config["optimizer"])] if "optimizer" in config else []
        found += [self._keyword(name, config.get(name)) for name in _DEFAULTS]
        found += [self._jit_compile(config), self._scaling(settings)]
        usual = [each for each in found if each is not None]
        name = self.recorded.text("model_class").rpartition(".")[2]
        method = self.definitions.method(name, "compile")
        if method is None:
            return usual
        own, problems = own_compile_keywords(
            method, usual, settings, self.definitions, self.speller
        )
        self.problems += problems
        return own

    def _keyword(self, name: str, value: Any) -> ast.keyword | None:
        if value is None or value == _DEFAULTS[name] or value == []:
            return None
        if name in _OF_OBJECTS:
            settings = self.recorded.of_source("compile")
            objects = OwnObjects(self.definitions, settings, self.speller, self.problems)
            return self._written(name, lambda: objects.structure(name, value))
        return self._written(name, lambda: self.speller.value(value, f"{_WHERE}: {name}"))

    def _written(self, name: str, write: Any) -> ast.keyword | None:
        try:
            return ast.keyword(name, write())
        except CodeGenerationError as error:
            self.problems.append(f"compile: {name} could not be written ({error})")
            return None

    def _optimizer(self, entry: Any) -> ast.keyword | None:
        if not isinstance(entry, Mapping):
            return self._written("optimizer", lambda: self.speller.value(entry, _WHERE))
        return self._written("optimizer", lambda: self._construct(entry))

    def _construct(self, entry: Mapping[str, Any]) -> ast.expr:
        """Write an optimizer with its learning rate as a constant, also of one inside another."""
        where = f"{_WHERE}: optimizer"
        config = entry.get("config") or {}
        replaced: dict[str, ast.expr] = {}
        if find_class(entry.get("module"), str(entry.get("class_name"))) is None:
            return self.speller.construct(entry, where)
        inner = config.get("inner_optimizer")
        if isinstance(inner, Mapping):
            replaced["inner_optimizer"] = self._construct(inner)
        rate = config.get(_LEARNING_RATE)
        if isinstance(rate, float):
            # A callback may have changed it before the configuration was read.
            first = self.recorded.of_source("compile").get(_LEARNING_RATE)
            rate = first if isinstance(first, float) else rate
            replaced[_LEARNING_RATE] = self.constants.add("LEARNING_RATE", shortest_float(rate))
        return self.speller.construct(entry, where, replaced=replaced)

    def _jit_compile(self, config: Mapping[str, Any]) -> ast.keyword | None:
        """Leave it out where Keras' own choice is the same."""
        value = config.get("jit_compile")
        if not isinstance(value, bool) or value is _own_choice(self.recorded, config):
            return None
        return ast.keyword("jit_compile", ast.Constant(value))

    def _scaling(self, settings: Mapping[str, Any]) -> ast.keyword | None:
        if settings.get("auto_scale_loss") is not False:
            return None
        return ast.keyword("auto_scale_loss", ast.Constant(False))


def _own_choice(recorded: Recorded, config: Mapping[str, Any]) -> bool:
    """Return whether Keras, if it is left the choice, would use XLA."""
    if config.get("run_eagerly") or recorded.backend == "torch":
        return False
    if recorded.backend != "tensorflow":
        return True
    environment = recorded.environment
    return bool(environment.get("gpus")) and not environment.get("deterministic_ops")


def _config_from(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put a configuration together from hyperparameters."""
    if not settings.get("optimizer") and not settings.get("loss"):
        return None
    prefix = "optimizer."
    config = {
        name.removeprefix(prefix): value
        for name, value in settings.items()
        if name.startswith(prefix)
    }
    if _LEARNING_RATE in settings:
        config[_LEARNING_RATE] = settings[_LEARNING_RATE]
    optimizer = {
        "module": "keras.optimizers",
        "class_name": settings.get("optimizer"),
        "config": config,
        "registered_name": None,
    }
    found = {name: settings.get(name, default) for name, default in _DEFAULTS.items()}
    if settings.get("optimizer"):
        found["optimizer"] = optimizer
    found["jit_compile"] = settings.get("jit_compile")
    return found
