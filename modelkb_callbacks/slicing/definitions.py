"""The source of classes and functions that a user wrote, with what they need."""

from __future__ import annotations

import ast
import functools
import inspect
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from modelkb_callbacks.slicing.definition_closure import DefinitionClosure
from modelkb_callbacks.slicing.layout import laid_out
from modelkb_callbacks.slicing.redaction import redacted_source

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Source of classes and functions.

    Attributes:
        text: Python that, when it is run, defines them and what they need.
        names: The names under which the objects asked for are found after that; by the
            objects' own qualified names.
        problems: What could not be found, for people.
    """

    text: str
    names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def source_of(objects: Iterable[object]) -> Definitions:
    """Return the source of the user's own among some classes, functions and objects.

    What is installed, Keras' own layers for example, needs no source and is passed over; of an
    object that is neither class nor function, its class is meant. It never raises.

    Args:
        objects: Layers, losses, metrics, callbacks and so on, as a model holds them.
    """
    closure = DefinitionClosure()
    names: list[str] = []
    for each in objects:
        try:
            name = closure.add(_definable(each))
        except Exception:  # whatever a user's object does when it is looked at
            _logger.debug("No source of %r", type(each), exc_info=True)
            closure.problems.append(f"no source of {type(each).__name__!r}")
            continue
        if name and name not in names:
            names.append(name)
    try:
        text = redacted_source(laid_out(closure.statements(), future=closure.future))
        ast.parse(text)
    except Exception:
        _logger.debug("No definitions", exc_info=True)
        return Definitions("", (), (*closure.problems, "the source does not fit together"))
    return Definitions(text, tuple(names), tuple(dict.fromkeys(closure.problems)))


def _definable(value: object) -> object:
    """Return the class or function that stands behind an object."""
    while isinstance(value, functools.partial):
        value = value.func
    if inspect.ismethod(value):
        value = value.__self__
    value = inspect.unwrap(value) if callable(value) else value
    return value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
