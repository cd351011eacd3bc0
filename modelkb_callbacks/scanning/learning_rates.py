"""Learning rates of optimizers: what they are made with, and what is set later."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.attributes import class_attribute
from modelkb_callbacks.scanning.canonical_names import RATES, kind_of
from modelkb_callbacks.scanning.findings import Rates
from modelkb_callbacks.scanning.joining import join, join_all, options_of
from modelkb_callbacks.scanning.resolving import position_of
from modelkb_callbacks.scanning.values import (
    NONE,
    Argument,
    Arguments,
    Choice,
    Function,
    Instance,
    Made,
    Mapping,
    Method,
    Network,
    Opaque,
    Value,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_DEEPEST_WRAPPER = 4
_RATE, _OPTIMIZER = "learning_rate", "optimizer"


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


def rate_of(argument: Argument, rates: Rates) -> Argument | None:
    """Return the learning rate that an optimizer has, None if none is written.

    Args:
        argument: The optimizer.
        rates: What was set until then.
    """
    value = unwrapped(argument.value)
    if isinstance(value, (Made, Instance)) and (value, _RATE) in rates:
        return rates[value, _RATE]
    if isinstance(value, Choice):
        return _rate_of_choice(value, argument, rates)
    if isinstance(value, Mapping):
        config = value.items.get("config")
        if isinstance(config, Mapping) and "learning_rate" in config.items:
            return Argument(config.items["learning_rate"], argument.node)
        return None
    if isinstance(value, (Made, Instance)):
        return value.arguments.find(*RATES, position=_position_of_rate(value))
    return None


def _rate_of_choice(value: Choice, argument: Argument, rates: Rates) -> Argument | None:
    """Return the rate that all options agree on; where they differ, a choice."""
    found = [rate_of(Argument(option, argument.node), rates) for option in value.options]
    if not any(found):
        return None
    return Argument(join_all(rate.value if rate else NONE for rate in found), argument.node)


def _position_of_rate(value: Made | Instance) -> int | None:
    if isinstance(value, Made):
        return 0
    initial = class_attribute(value.cls, "__init__")
    if not isinstance(initial, Function):
        return 0
    names = [each.arg for each in initial.node.args.args[1:]]
    return next((names.index(name) for name in RATES if name in names), None)


def note_made(machine: Machine, made: Made | Instance, node: ast.expr) -> None:
    """Note the learning rate that an optimizer is made with."""
    argument = rate_of(Argument(made, node), machine.rates) or Argument(NONE, node)
    if unwrapped(made) is made:
        machine.rates = {**machine.rates, (made, _RATE): argument}


def set_rate(machine: Machine, owner: Value, name: str, value: Value, node: ast.expr) -> None:
    """Follow ``owner.name = value`` if that is the learning rate of an optimizer."""
    if name not in RATES:
        return
    certain = not isinstance(owner, Choice)
    for option in options_of(owner):
        optimizer = unwrapped(option)
        if not isinstance(optimizer, (Made, Instance)) or _is_other(machine, optimizer):
            continue
        key = (optimizer, _RATE)
        old = rate_of(Argument(optimizer, node), machine.rates)
        # What no library of Keras made was not noted then: a branch may be around this alone.
        if not certain or (key not in machine.rates and machine.weak):
            known = join(old.value if old is not None else NONE, value)
        else:
            known = value
        machine.rates = {**machine.rates, key: Argument(known, node)}


def _is_other(machine: Machine, value: Made | Instance) -> bool:
    """Return whether a value is no optimizer, or one that its own `__init__` still makes."""
    if isinstance(value, Made):
        return kind_of(value.name) not in (None, "optimizer")
    return value.cls.kind != "optimizer" or any(
        frame.function is not None
        and frame.function.receiver is value
        and frame.function.name == "__init__"
        for frame in machine.frames
    )


def assign_rate(
    machine: Machine, variable: Value, method: str, value: Value | None, node: ast.expr
) -> None:
    """Follow ``variable.assign(value)`` if the variable is an optimizer's learning rate."""
    if method != "assign" or value is None:
        value = Opaque(f"the result of {method}() is known only in a run")
    for option in options_of(variable):
        if isinstance(option, Method):
            set_rate(machine, option.owner, option.name, value, node)


def rate_read(machine: Machine, value: Value) -> Value:
    """Return the number that a value stands for if it is an optimizer's learning rate."""
    if not isinstance(value, Method) or value.name not in RATES:
        return value
    optimizer = unwrapped(value.owner)
    known = machine.rates.get((optimizer, _RATE)) if isinstance(optimizer, Made) else None
    return known.value if known is not None and known.value != NONE else value


def note_compiled(machine: Machine, model: Value, optimizer: Argument) -> None:
    """Note what ``model.optimizer`` is from now on."""
    key = _key_of(model)
    if not (machine.dry and isinstance(key[0], int)):  # only what is noted stays that object
        machine.rates = {**machine.rates, key: optimizer}


def optimizer_of(machine: Machine, model: Value) -> Value | None:
    """Return what ``model.optimizer`` is; None if it was not compiled with an object."""
    known = machine.rates.get(_key_of(model))
    if known is None or not any(
        isinstance(option, (Made, Instance)) for option in options_of(known.value)
    ):
        return None
    return known.value


def _key_of(model: Value) -> tuple[object, str]:
    is_itself = isinstance(model, (Instance, Made, Network))
    return (model if is_itself else id(model)), _OPTIMIZER


def merged_rates(one: Rates, other: Rates) -> Rates:
    """Return what is known of optimizers after one of two ways was gone."""
    if one is other:
        return one
    both = {**one, **other}
    for key in one.keys() & other.keys():
        if one[key] is not other[key]:
            later = max(one[key].node, other[key].node, key=position_of)
            both[key] = Argument(join(one[key].value, other[key].value), later)
    return both
