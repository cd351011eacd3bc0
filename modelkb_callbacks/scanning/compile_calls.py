"""The calls of ``compile``."""

from __future__ import annotations

from typing import Any

from modelkb_callbacks.scanning.attributes import class_attribute
from modelkb_callbacks.scanning.findings import Event, Findings
from modelkb_callbacks.scanning.learning_rates import rate_of, unwrapped
from modelkb_callbacks.scanning.resolving import (
    UNKNOWN,
    Notes,
    agreed,
    by_call,
    merged_names,
    name_of,
    names_in,
    number_of,
)
from modelkb_callbacks.scanning.scan import ScannedCompile
from modelkb_callbacks.scanning.values import (
    Argument,
    Constant,
    Function,
    Instance,
    Items,
    Mapping,
    Value,
)

_ORDER = ("optimizer", "loss", "metrics")


def compile_calls(findings: Findings, notes: Notes) -> list[ScannedCompile]:
    """Return the records of all calls of ``compile`` on a model."""
    return [_record(group, notes) for group in by_call(findings.compiles)]


def _record(events: list[Event], notes: Notes) -> ScannedCompile:
    def read(name: str) -> Any:
        return lambda event: argument_of(event, name)

    optimizer = agreed(events, read("optimizer"), optimizer_name, notes)
    rate = agreed(events, _rate_argument, number_of, notes)
    loss = agreed(events, read("loss"), _loss_names, notes)
    rounds = [names_in(argument_of(event, "metrics"), name_of, notes) for event in events]
    metrics = merged_names(rounds, argument_of(events[0], "metrics"), notes)
    rest = events[0].arguments.rest
    if rest is not None and argument_of(events[0], "optimizer") is None:
        notes.add(rest.node, "what * or ** brings to compile is known only in a run")
    return ScannedCompile(optimizer, rate, loss, metrics, events[0].node.lineno)


def argument_of(event: Event, name: str) -> Argument | None:
    """Return an argument of ``compile``, as the user's own ``compile`` takes it if there is one."""
    order: tuple[str, ...] = _ORDER
    own = _own_compile(event.receiver)
    if own is not None:
        order = tuple(each.arg for each in own.node.args.args[1:])
    position = order.index(name) if name in order else None
    return event.arguments.find(name, position=position)


def _own_compile(receiver: Value) -> Function | None:
    if isinstance(receiver, Instance):
        found = class_attribute(receiver.cls, "compile")
        return found if isinstance(found, Function) else None
    return None


def optimizer_name(value: Value) -> Any:
    """Return an optimizer's class or name."""
    if isinstance(value, Mapping):
        value = value.items.get("class_name", value)
    found = name_of(unwrapped(value))
    if found is None:
        return None if isinstance(value, Constant) and value.value is None else UNKNOWN
    return found


def _rate_argument(event: Event) -> Argument | None:
    argument = argument_of(event, "optimizer")
    return None if argument is None else rate_of(argument, event.rates)


def _loss_names(value: Value) -> Any:
    if isinstance(value, Constant) and value.value is None:
        return None
    if isinstance(value, (Items, Mapping)):
        contents = (
            [item.value for item in value.items]
            if isinstance(value, Items)
            else list(value.items.values())
        )
        names = [name_of(each) for each in contents]
        if not value.exact or None in names:
            return UNKNOWN
        return names
    return name_of(value) or UNKNOWN
