"""The states of the random generators: the file that keeps them, and the code that restores."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelkb_store.codegen.script.imports import Imports
from modelkb_store.codegen.templates import render

_TEMPLATES = Path(__file__).parent / "templates"
RESTORE = "restore_random_states"
_OF_LAYER = "keras:layer:"
# In the order in which they were found: names that Keras makes up can be others in the script.
_OF_LAYERS = "keras:layers"
_SHUFFLE = "tensorflow.shuffle"
_KNOWN = (
    _OF_LAYERS,
    "keras:global",
    "python",
    "numpy",
    "tensorflow.seed",
    _SHUFFLE,
    "tensorflow.eager",
    "tensorflow.generator",
    "torch.cpu",
)


def states_to_restore(states: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states that a file beside the script keeps."""
    found = {name: state for name, state in states.items() if not name.startswith(_OF_LAYER)}
    of_layers = [state for name, state in states.items() if name.startswith(_OF_LAYER)]
    return {**found, _OF_LAYERS: of_layers} if of_layers else found


def states_file(states: Mapping[str, Any]) -> str:
    """Return the content of that file."""
    return json.dumps(states_to_restore(states), separators=(",", ":")) + "\n"


def unknown_generators(states: Mapping[str, Any]) -> list[str]:
    """Return the generators that the code does not know how to restore."""
    return [name for name in states_to_restore(states) if not _is_known(name)]


def restoring_function(name: str, states: Mapping[str, Any], imports: Imports) -> str:
    """Return the source of a function that restores the states from a file.

    Args:
        name: The function's name.
        states: The recorded states by their generators.
        imports: Gets what the function needs.
    """
    found = states_to_restore(states)
    has_torch = "torch.cpu" in found
    needed = {
        "json": True,
        "random": "python" in found,
        "np": "numpy" in found,
        "tf": any(each.startswith("tensorflow.") for each in found),
        "torch": has_torch,
        "base64": has_torch,
    }
    names = {each: imports.name_of(each) for each, is_needed in needed.items() if is_needed}
    return render(
        _TEMPLATES,
        "random_states.py.j2",
        function=name,
        generators=found,
        devices=[each.partition(":")[2] for each in found if _is_of_cuda(each)],
        **{each: names.get(each, each) for each in needed},
    )


def _is_known(name: str) -> bool:
    return name in _KNOWN or _is_of_cuda(name)


def _is_of_cuda(name: str) -> bool:
    return re.fullmatch(r"torch\.cuda:[0-9]+", name) is not None
