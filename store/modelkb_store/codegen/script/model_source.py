"""The functions that make the model of an experiment."""

from __future__ import annotations

import dataclasses

from modelkb_store.codegen.keras.model_code import ModelCode, model_code, own_model_code
from modelkb_store.codegen.script.own_arguments import chosen_arguments
from modelkb_store.codegen.script.own_definitions import OwnDefinitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.errors import CodeGenerationError

_SOURCE = "model"
_PREFIX = "model."


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
    if recorded.record.model_id is None:
        raise CodeGenerationError(
            f"the model of experiment {recorded.record.experiment_id}",
            "no model was recorded with it, as with runs that were imported",
            "train the model with callbacks=[ModelKB()]",
        )
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
    known = definitions.constructor(name)
    names, required = known if known is not None else (list(given), set())
    arguments, problems = chosen_arguments(f"model: {{}} of {name}", names, required, given)
    # Weights can only be loaded into a model that has some.
    loads, is_called = recorded.has_initial_weights, _is_called(name, definitions)
    code = own_model_code(
        name,
        arguments,
        definitions=definitions.names,
        dtype_policy=policy,
        input_shape=recorded.input_shape if loads and is_called else None,
        is_never_called=loads and not is_called,
    )
    return dataclasses.replace(code, problems=(*problems, *code.problems))


def _is_called(name: str, definitions: OwnDefinitions) -> bool:
    """Return whether a model has a ``call``, in its own class or one that is not known."""
    others = definitions.other_bases(name)
    is_known = all(base.rpartition(".")[2] == "Model" for base in others)
    return definitions.method(name, "call") is not None or not is_known
