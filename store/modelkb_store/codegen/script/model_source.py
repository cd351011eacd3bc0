"""The functions that make the model of an experiment."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.keras.model_code import BUILD_MODEL, ModelCode, model_code
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.cut_values import is_cut
from modelkb_store.codegen.script.own_definitions import OwnDefinitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError

_SOURCE = "model"
_PREFIX = "model."
# Of a model that was passed to a model only its class is recorded.
_MODELS = ("Functional", "Sequential")


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
    speller = Speller(default_dtype=policy or "float32", definitions=definitions.names)
    given = {
        setting.removeprefix(_PREFIX): value
        for setting, value in recorded.of_source(_SOURCE).items()
        if setting.startswith(_PREFIX)
    }
    keywords, problems = _arguments(name, definitions, given, speller)
    made = ast.unparse(ast.fix_missing_locations(ast.Call(ast.Name(name), [], keywords)))
    return ModelCode(
        functions=(f"def {BUILD_MODEL}():\n    return {made}",),
        names_used=frozenset(speller.names_used),
        dtype_policy=policy or "float32",
        problems=(*problems, *speller.problems),
    )


def _arguments(
    name: str, definitions: OwnDefinitions, given: Mapping[str, Any], speller: Speller
) -> tuple[list[ast.keyword], list[str]]:
    known = definitions.constructor(name)
    names, required = known if known is not None else (list(given), set())
    keywords, problems = [], []
    for argument in names:
        value = given.get(argument)
        if argument not in given or is_cut(value) or value in _MODELS:
            if argument in required:
                problems.append(f"model: {argument} of {name}, which must be put in")
                keywords.append(ast.keyword(argument, ast.Constant(None)))
            continue
        written = ast.Name(value) if value in tuple(definitions.names) else None
        where = f"model {name}: {argument}"
        keywords.append(ast.keyword(argument, written or speller.value(value, where)))
    return keywords, problems
