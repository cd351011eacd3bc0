"""The calls of ``fit`` and ``evaluate``, with the arguments that were recorded."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.script.constants import Constants
from modelkb_store.codegen.script.cut_values import is_cut
from modelkb_store.codegen.script.recorded import Recorded

# In the order in which people write them.
_SETTINGS = (
    "batch_size",
    "epochs",
    "initial_epoch",
    "steps_per_epoch",
    "validation_split",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
    "shuffle",
)
_DEFAULTS = {
    "epochs": 1,
    "initial_epoch": 0,
    "validation_split": 0.0,
    "validation_freq": 1,
    "shuffle": True,
    "verbose": "auto",
}
_CONSTANTS = {"batch_size": "BATCH_SIZE", "epochs": "EPOCHS"}
_CLASS_WEIGHT = "class_weight"
_POSITIONAL = ("x", "y")


@dataclass(slots=True)
class FitCall:
    """Writes the call of ``fit``.

    Attributes:
        recorded: The experiment.
        constants: Gets epochs and batch size.
        problems: What could not be written, for people.
    """

    recorded: Recorded
    constants: Constants
    problems: list[str] = field(default_factory=list)

    def write(self, model: str, data: ast.expr | None, callbacks: Sequence[ast.expr]) -> ast.expr:
        """Return the call.

        Args:
            model: The model's name.
            data: The dictionary of the data arguments; None if they are not known.
            callbacks: The callbacks.
        """
        positional, named, stars = _data_arguments(data)
        keywords = [*self._settings(), *named]
        if not any(each.arg == _CLASS_WEIGHT for each in named) and not stars:
            keywords += self._class_weight()
        if callbacks:
            keywords.append(ast.keyword("callbacks", ast.List(list(callbacks))))
        keywords += self._verbose()
        function = ast.Attribute(ast.Name(model), "fit")
        return ast.Call(function, positional, [*keywords, *stars])

    def _settings(self) -> list[ast.keyword]:
        found = []
        for name in _SETTINGS:
            value = self._value(name)
            if value is None:
                continue
            if name in _CONSTANTS:
                found.append(ast.keyword(name, self.constants.add(_CONSTANTS[name], value)))
            elif value != _DEFAULTS.get(name):
                found.append(ast.keyword(name, _literal(value)))
        return found

    def _value(self, name: str) -> Any:
        setting = self.recorded.settings.get(name)
        if setting is None:
            return self.recorded.record.epochs_planned if name == "epochs" else None
        if setting.source == "fit":
            return setting.value
        if setting.source == "user":
            if name == "epochs" and self.recorded.record.epochs_planned is not None:
                return self.recorded.record.epochs_planned
            self.problems.append(
                f"fit: its {name}, as a parameter of the same name was given to ModelKB; "
                f"the script has that one, {setting.value!r}"
            )
            return setting.value if isinstance(setting.value, (int, float)) else None
        return None  # the scanner only read it in the source

    def _class_weight(self) -> list[ast.keyword]:
        setting = self.recorded.settings.get(_CLASS_WEIGHT)
        if setting is None or setting.source != "fit" or not isinstance(setting.value, dict):
            return []
        if is_cut(setting.value):
            self.problems.append("fit: class_weight, which has too many classes")
            return []
        weights = {int(name): weight for name, weight in setting.value.items()}
        return [ast.keyword(_CLASS_WEIGHT, _literal(weights))]

    def _verbose(self) -> list[ast.keyword]:
        verbose = self._value("verbose")
        if verbose is None or verbose == _DEFAULTS["verbose"]:
            return []
        return [ast.keyword("verbose", _literal(verbose))]


def evaluate_statement(model: str, data: ast.expr) -> ast.stmt:
    """Return a statement that evaluates the model and prints what comes out."""
    positional, named, stars = _data_arguments(data)
    keywords = [each for each in named if each.arg not in ("return_dict", "callbacks")]
    keywords.append(ast.keyword("return_dict", ast.Constant(True)))
    function = ast.Attribute(ast.Name(model), "evaluate")
    call = ast.Call(function, positional, [*keywords, *stars])
    return ast.Expr(ast.Call(ast.Name("print"), [call], []))


def _data_arguments(
    data: ast.expr | None,
) -> tuple[list[ast.expr], list[ast.keyword], list[ast.keyword]]:
    """Return the positional arguments of a dictionary of arguments, the named and the starred."""
    if not isinstance(data, ast.Dict):
        return [], [], [] if data is None else [ast.keyword(None, data)]
    named = {
        key.value: value
        for key, value in zip(data.keys, data.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    stars = [
        ast.keyword(None, value)
        for key, value in zip(data.keys, data.values, strict=True)
        if key is None
    ]
    positional: list[ast.expr] = []
    for name in _POSITIONAL:
        if name not in named:
            break
        positional.append(named.pop(name))
    return positional, [ast.keyword(name, value) for name, value in named.items()], stars


def _literal(value: Any) -> ast.expr:
    return ast.parse(repr(value), mode="eval").body
