"""The functions that make the model of an experiment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.keras.model_code import ModelCode, model_code, own_model_code
from modelkb_store.codegen.network.arguments import SAME, SHARES
from modelkb_store.codegen.script.cut_values import is_cut, is_description
from modelkb_store.codegen.script.own_definitions import OwnDefinitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError

_SOURCE = "model"
_PREFIX = "model."
# Of a model that was passed to a model older recordings have only the class.
_NAMES_ALONE = ("Functional", "Sequential", "<lambda>")
_OF_EVERY_LAYER = ("name", "dtype", "trainable", "activity_regularizer", "autocast")


def model_source(recorded: Recorded, definitions: OwnDefinitions) -> ModelCode:
    """Write ``build_model()`` and what it needs.

    Args:
        recorded: The experiment.
        definitions: The user's own classes and functions.

    Raises:
        CodeGenerationError: A layer cannot be written, or the model was not recorded.
    """
    policy = recorded.environment.get("dtype_policy") or None
    if recorded.model_config is None:
        return _of_own_class(recorded, definitions, policy)
    return model_code(recorded.model_config, definitions=definitions.names, dtype_policy=policy)


def _of_own_class(recorded: Recorded, definitions: OwnDefinitions, policy: str | None) -> ModelCode:
    """Call the constructor of a class that Keras cannot serialize, as it was called."""
    name = recorded.text("model_class").rpartition(".")[2]
    if name not in definitions.classes:
        raise CodeGenerationError(
            f"the model of experiment {recorded.record.experiment_id}",
            "neither its configuration nor the source of its class was recorded",
            "give the class a get_config() and record the training again",
        )
    given = {
        setting.removeprefix(_PREFIX): value
        for setting, value in recorded.of_source(_SOURCE).items()
        if setting.startswith(_PREFIX)
    }
    arguments, problems = _arguments(name, definitions, given)
    # Weights can only be loaded into a model that has some.
    shape = recorded.input_shape if recorded.has_initial_weights else None
    code = own_model_code(
        name,
        arguments,
        definitions=definitions.names,
        dtype_policy=policy,
        input_shape=shape,
    )
    return dataclasses.replace(code, problems=(*problems, *code.problems))


def _arguments(
    name: str, definitions: OwnDefinitions, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Choose the arguments of a constructor that can be written; says what is missing."""
    known = definitions.constructor(name)
    names, required = known if known is not None else (list(given), set())
    arguments, problems = {}, []
    for argument in names:
        if argument in given and not _is_unknown(given[argument]):
            arguments[argument] = given[argument]
        elif argument in required:
            problems.append(
                f"model: {argument} of {name}, which must be put in{_why(given, argument)}"
            )
            arguments[argument] = None
        elif argument not in _OF_EVERY_LAYER:
            does_not_keep = "" if argument in given else ", which it does not keep"
            problems.append(
                f"model: {argument} of {name}{does_not_keep}; the script has the default"
            )
    return arguments, problems


def _why(given: Mapping[str, Any], argument: str) -> str:
    value = given.get(argument)
    shares = value.get(SHARES) if isinstance(value, Mapping) else None
    return "" if shares is None else f": it has layers of {shares}"


def _is_unknown(value: Any) -> bool:
    """Return whether a part of a value was not recorded, so that it cannot be written."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return value["class_name"] != SAME and ("config" not in value or is_cut(value))
        return is_description(value) or any(_is_unknown(v) for v in value.values())
    if isinstance(value, list):
        return is_cut(value) or any(_is_unknown(each) for each in value)
    return value in _NAMES_ALONE or is_cut(value)
