"""Targets: the languages and frameworks that code is written for.

A target is a folder of templates and a module, found through the entry point group
``modelkb.targets``, so that other packages can bring theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from modelkb_store.codegen.description import ModelDescription
from modelkb_store.errors import InvalidSettingError

GROUP = "modelkb.targets"


class Target(Protocol):
    """What a target's module offers, under its entry point."""

    def __call__(self, description: ModelDescription, **options: Any) -> str:
        """Return a module of code that makes a model.

        Args:
            description: The model.
            options: What the target knows beyond; unknown ones are a ``TypeError``.

        Raises:
            CodeGenerationError: The model holds what the target cannot express; names the layer.
        """
        ...


def target_names() -> list[str]:
    """Return the names of all targets that are installed."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find_target(name: str) -> Target:
    """Return a target by its name.

    Raises:
        InvalidSettingError: There is none of this name.
    """
    for point in entry_points(group=GROUP):
        if point.name == name:
            target: Target = point.load()
            return target
    raise InvalidSettingError("target", name, f"one of {', '.join(target_names())}")


def generate_code(
    description: ModelDescription,
    target: str = "keras",
    options: Mapping[str, Any] | None = None,
) -> str:
    """Return code that makes a model.

    Args:
        description: The model: see :func:`read_description`.
        target: ``keras``, ``torch``, or another that is installed.
        options: What the target knows beyond.

    Raises:
        CodeGenerationError: The model holds what the target cannot express; names the layer.
        InvalidSettingError: There is no such target.

    Example:
        >>> print(generate_code(read_description("model.h5")))
    """
    return find_target(target)(description, **(options or {}))
