"""The calls of ``fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelkb_callbacks.scanning.findings import Event, Findings
from modelkb_callbacks.scanning.resolving import (
    Notes,
    agreed,
    by_call,
    merged_names,
    name_of,
    names_in,
    number_of,
)
from modelkb_callbacks.scanning.scan import ScannedFit
from modelkb_callbacks.scanning.values import Argument, Class, Constant, External, Function, Value

_ORDER = {
    "fit": (
        "x",
        "y",
        "batch_size",
        "epochs",
        "verbose",
        "callbacks",
        "validation_split",
        "validation_data",
    ),
    "fit_generator": (
        "generator",
        "steps_per_epoch",
        "epochs",
        "verbose",
        "callbacks",
        "validation_data",
    ),
}
_OTHER_NAMES = {"epochs": ("nb_epoch",)}


def fit_calls(findings: Findings, notes: Notes) -> list[ScannedFit]:
    """Return the records of all calls of ``fit`` on a model."""
    return [_record(group, notes) for group in by_call(findings.fits)]


def argument_of(event: Event, name: str) -> Argument | None:
    """Return an argument of ``fit`` or ``fit_generator``."""
    order = _ORDER[called(event)]
    position = order.index(name) if name in order else None
    return event.arguments.find(name, *_OTHER_NAMES.get(name, ()), position=position)


def called(event: Event) -> str:
    """Return ``fit`` or ``fit_generator``."""
    name = getattr(event.node.func, "attr", "fit")
    return name if name in _ORDER else "fit"


def _record(events: list[Event], notes: Notes) -> ScannedFit:
    def number(name: str) -> Any:
        read: Callable[[Event], Argument | None] = lambda event: argument_of(event, name)  # noqa: E731
        return agreed(events, read, number_of, notes)

    rounds = [names_in(argument_of(event, "callbacks"), _callback_name, notes) for event in events]
    arguments = events[0].arguments
    if arguments.rest is not None and "epochs" not in arguments.keywords:
        notes.add(arguments.rest.node, "what * or ** brings to fit is known only in a run")
    return ScannedFit(
        number("epochs"),
        number("batch_size"),
        number("validation_split"),
        merged_names(rounds, argument_of(events[0], "callbacks"), notes),
        events[0].node.lineno,
    )


def _callback_name(value: Value) -> str | None:
    # A class or function passed instead of an object is no callback that could be named.
    if isinstance(value, (Constant, Function, External, Class)):
        return None
    return name_of(value)
