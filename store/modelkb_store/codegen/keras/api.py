"""What the classes and operations of Keras take: a table, so that no Keras is needed.

The table `api.json` is made from an installed Keras by `tests/support/make_keras_api.py`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("api.json")
# Where a class is looked for whose module is not said, as in the files of Keras 2.
_KINDS = (
    *("layers", "initializers", "regularizers", "constraints", "optimizers", "schedules"),
    *("losses", "metrics", "quantizers", "dtype_policies", "random", "callbacks"),
    "applications",
)


@dataclass(frozen=True, slots=True)
class KerasClass:
    """A class of Keras.

    Attributes:
        name: Its name.
        kind: ``layers``, ``optimizers``, ..
        spelling: How it is written: ``layers.Dense``.
        parameters: What its constructor takes, in order.
        required: Those without a default.
        defaults: What ``get_config()`` says of the others if they are not given.
        same_as: Parameters whose default is the value of another one.
        call: What its call takes without being told, where that is not None.
        string: The text that stands for an object with all defaults, if there is one.
        module: Where to import it from, if it has no public name.
    """

    name: str
    kind: str
    spelling: str
    parameters: tuple[str, ...]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    same_as: Mapping[str, str] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    string: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class KerasOperation:
    """A class of operations, with the function that makes and calls one.

    Attributes:
        function: How the function is written: ``ops.mean``.
        parameters: The function's parameters with their defaults; None for one without,
            else a tuple of one.
        constructor: For each setting of the operation the parameter that it is.
        call: For each thing that it is called with the parameter that it is.
        fixed: Settings that are no parameters of the function, with the value they have.
    """

    function: str
    parameters: Mapping[str, tuple[Any] | None]
    constructor: Mapping[str, str]
    call: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)


def find_class(module: str | None, class_name: str) -> KerasClass | None:
    """Return a class of Keras as a configuration names it; None if it is no class of Keras."""
    if module is not None and not _is_of_keras(module):
        return None
    classes = _table()["classes"]
    kinds = [kind for kind in _KINDS if module is not None and kind in module.split(".")]
    for kind in (*kinds, *_KINDS):
        described = classes[kind].get(class_name)
        if described is not None:
            return _class(kind, class_name)
    return None


def find_operation(module: str | None, class_name: str) -> KerasOperation | None:
    """Return an operation as a configuration names it; None if there is no function for it."""
    operations = _table()["operations"]
    if module is not None:
        described = operations.get(f"{module.rpartition('.')[2]}.{class_name}")
        return None if described is None else _operation(described)
    for key, described in operations.items():
        if key.partition(".")[2] == class_name:
            return _operation(described)
    return None


def call_defaults(class_name: str) -> Mapping[str, Any]:
    """Return what a layer's call takes without being told, where that is not None."""
    described = _table()["classes"]["layers"].get(class_name, {})
    defaults: Mapping[str, Any] = described.get("call", {})
    return defaults


def import_line(name: str) -> str | None:
    """Return the import of a class that has no public name; None for any other name."""
    described = _table()["classes"]["applications"].get(name)
    return None if described is None else f"from {described['module']} import {name}"


def is_activation(name: str) -> bool:
    """Return whether Keras has an activation function of this name."""
    return name in _table()["functions"]["keras.activations"]


def find_function(name: str, module: str | None = None) -> str | None:
    """Return how a function of Keras is written, such as ``ops.mean``; None if there is none.

    Args:
        name: Its name.
        module: Where it is, if that is known.
    """
    places = [place for place, names in _table()["functions"].items() if name in names]
    known = (module or "").removeprefix("keras.")
    places.sort(key=lambda place: place.removeprefix("keras.") != known)
    return f"{places[0]}.{name}" if places else None


def _is_of_keras(module: str) -> bool:
    parts = module.split(".")
    return parts[0] in ("keras", "tf_keras") or parts[:3] == ["tensorflow", "python", "keras"]


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return table


@functools.cache
def _class(kind: str, name: str) -> KerasClass:
    described = dict(_table()["classes"][kind][name])
    for key in ("parameters", "required"):
        described[key] = tuple(described.get(key, ()))
    return KerasClass(name=name, kind=kind, **described)


def _operation(described: Mapping[str, Any]) -> KerasOperation:
    return KerasOperation(
        function=described["function"],
        parameters={
            name: None if default is None else (default[0],)
            for name, default in described["parameters"].items()
        },
        constructor=described["constructor"],
        call=tuple(described["call"]),
        fixed=described.get("fixed", {}),
    )
