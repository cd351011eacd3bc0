"""The model of an experiment as code, for any target that is installed."""

from __future__ import annotations

from modelkb_store import Experiment
from modelkb_store.codegen import generate_code, target_names

_NAMES = {"keras": "Keras", "torch": "PyTorch"}


def targets() -> dict[str, str]:
    """Return what code can be written for: names for people by names of targets."""
    return {name: _NAMES.get(name, name) for name in target_names()}


def model_code(experiment: Experiment, target: str) -> str:
    """Return the code of an experiment's model.

    Raises:
        ArtifactNotFoundError: The model was not kept.
        CodeGenerationError: It holds what the target cannot express; names the layer.
    """
    return generate_code(experiment.description(), target)


def model_file_name(experiment: Experiment, target: str) -> str:
    """Return a name for a file with the code."""
    return f"model-{experiment.id.rpartition('-')[2]}-{target}.py"
