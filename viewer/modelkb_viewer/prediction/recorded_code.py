"""The classes and functions of a user's script, made again from what was recorded of them.

This runs recorded code. It is called in the prediction process alone, and only where the
viewer's owner has allowed it.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Mapping
from typing import Any

from modelkb_store import Experiment
from modelkb_store.codegen.keras.model_code import BUILD_MODEL
from modelkb_store.codegen.script.model_source import model_source
from modelkb_store.codegen.script.own_definitions import parse_definitions
from modelkb_store.codegen.script.recorded import read_recorded
from modelkb_viewer.prediction.errors import ModelRebuildError

_CAUSE = "Exception encountered:"
_FURTHER = (" Make sure custom", " Full object config", " You can override")
_MOST_CHARACTERS = 400
_MODULE = "modelkb_recorded_definitions"
# What the code of a model calls things; the same as in scripts that are written again.
_USUAL_NAMES = {
    "keras": "keras",
    "layers": "keras.layers",
    "ops": "keras.ops",
    "np": "numpy",
}


def recorded_objects(definitions: str, name: str) -> types.ModuleType:
    """Run a text of definitions, and return the module that it makes.

    Args:
        definitions: Python text, as the table ``implementations`` has it.
        name: Tells modules of several experiments apart.

    Raises:
        Exception: Whatever the text raises.
    """
    module = types.ModuleType(f"{_MODULE}_{name.replace('-', '_')}")
    # Dataclasses and Keras look a class's module up by its name.
    sys.modules[module.__name__] = module
    exec(compile(definitions, f"<definitions of {name}>", "exec"), vars(module))  # noqa: S102
    return module


def custom_objects(module: types.ModuleType) -> dict[str, Any]:
    """Return the classes and functions of a module by name, as Keras' loader takes them."""
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("__")
    }


def construct_model(experiment: Experiment, module: types.ModuleType) -> Any:
    """Call the constructor of a model's class as the run did; Keras could not serialize it.

    Raises:
        CodeGenerationError: Its source was not recorded.
        ModelRebuildError: The constructor raises something.
    """
    recorded = read_recorded(experiment)
    definitions = parse_definitions(recorded.text("definitions"))
    code = model_source(recorded, definitions)
    namespace: dict[str, Any] = {**_usual_modules(), **vars(module)}
    for function in code.functions:
        exec(compile(function, f"<model of {experiment.id}>", "exec"), namespace)  # noqa: S102
    try:
        return namespace[BUILD_MODEL]()
    # The user's code may raise anything, and more so without an argument that is not known.
    except Exception as error:
        raise ModelRebuildError(experiment.id, said(error), code.problems) from error


def said(error: BaseException) -> str:
    """Return what matters of what Keras says: it puts the cause behind what it tried."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(_CAUSE)]
    text = causes[-1].removeprefix(_CAUSE).strip() if causes else (lines or [""])[0]
    # Then comes the configuration, or advice for whoever loads the model by hand.
    for beginning in _FURTHER:
        text = text.partition(beginning)[0]
    text = text.strip() or type(error).__name__
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} .."


def _usual_modules() -> Mapping[str, Any]:
    return {name: importlib.import_module(module) for name, module in _USUAL_NAMES.items()}
