"""Which arguments of a method of the user's can be written, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from modelkb_store.codegen.network.arguments import SAME, SHARES
from modelkb_store.codegen.script.cut_values import is_cut, is_description

# Of a model that was passed to a model older recordings have only the class.
_NAMES_ALONE = ("Functional", "Sequential", "<lambda>")
_OF_EVERY_LAYER = ("name", "dtype", "trainable", "activity_regularizer", "autocast")


def chosen_arguments(
    what: str, names: Collection[str], required: Collection[str], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Choose the arguments of a call that can be written.

    Args:
        what: What an argument is called in a sentence, with ``{}`` in place of its name.
        names: All arguments that the method takes.
        required: Those that must be given; where they are not known they are None.
        given: Those that were recorded.

    Returns:
        The arguments with their recorded values, and what is missing, for people.
    """
    arguments: dict[str, Any] = {}
    problems = []
    for name in names:
        if name in given and not _is_unknown(given[name]):
            arguments[name] = given[name]
        elif name in required:
            problems.append(f"{what.format(name)}, which must be put in{_why(given.get(name))}")
            arguments[name] = None
        elif name not in _OF_EVERY_LAYER:
            not_kept = "" if name in given else ", which it does not keep"
            problems.append(f"{what.format(name)}{not_kept}; the script has the default")
    return arguments, problems


def _why(value: Any) -> str:
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
