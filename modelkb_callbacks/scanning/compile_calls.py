"""The calls of ``compile``."""

from __future__ import annotations

from typing import Any

from modelkb_callbacks.scanning.attributes import class_attribute
from modelkb_callbacks.scanning.canonical_names import kind_of
from modelkb_callbacks.scanning.findings import Event, Findings
from modelkb_callbacks.scanning.joining import join_all
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
    NONE,
    Argument,
    Arguments,
    Choice,
    Constant,
    Function,
    Instance,
    Items,
    Made,
    Mapping,
    Value,
)

_ORDER = ("optimizer", "loss", "metrics")
_RATES = ("learning_rate", "lr")
_DEEPEST_WRAPPER = 4


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


def unwrapped(value: Value) -> Value:
    """Return the optimizer inside of one that only scales the loss or sums over machines."""
    for _ in range(_DEEPEST_WRAPPER):
        if not isinstance(value, Made):
            break
        inner = _optimizer_in(value.arguments)
        is_wrapper = "LossScale" in value.name or "Distributed" in value.name
        if inner is None or not (is_wrapper or kind_of(value.name) is None):
            break
        value = inner
    return value


def _optimizer_in(arguments: Arguments) -> Value | None:
    for argument in arguments.all():
        value = argument.value
        if isinstance(value, Made) and kind_of(value.name) == "optimizer":
            return value
        if isinstance(value, Instance) and value.cls.kind == "optimizer":
            return value
    return None


def _rate_argument(event: Event) -> Argument | None:
    argument = argument_of(event, "optimizer")
    return None if argument is None else rate_of(argument)


def rate_of(argument: Argument) -> Argument | None:
    """Return the learning rate that an optimizer is made with, None if none is written."""
    value = unwrapped(argument.value)
    if isinstance(value, Choice):
        return _rate_of_choice(value, argument)
    if isinstance(value, Mapping):
        config = value.items.get("config")
        if isinstance(config, Mapping) and "learning_rate" in config.items:
            return Argument(config.items["learning_rate"], argument.node)
        return None
    if isinstance(value, (Made, Instance)):
        return value.arguments.find(*_RATES, position=_position_of_rate(value))
    return None


def _rate_of_choice(value: Choice, argument: Argument) -> Argument | None:
    """Return the rate that all options agree on; where they differ, a choice."""
    rates = [rate_of(Argument(option, argument.node)) for option in value.options]
    if not any(rates):
        return None
    return Argument(join_all(rate.value if rate else NONE for rate in rates), argument.node)


def _position_of_rate(value: Made | Instance) -> int | None:
    if isinstance(value, Made):
        return 0
    initial = class_attribute(value.cls, "__init__")
    if not isinstance(initial, Function):
        return 0
    names = [each.arg for each in initial.node.args.args[1:]]
    return next((names.index(name) for name in _RATES if name in names), None)


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
