"""Calls of what the source defines: functions, methods and classes."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TypeGuard

from modelkb_callbacks.scanning.attributes import (
    ancestors,
    class_attribute,
    decorator_names,
    decorators_of,
)
from modelkb_callbacks.scanning.external_calls import call_external
from modelkb_callbacks.scanning.findings import Binding
from modelkb_callbacks.scanning.joining import join, join_all
from modelkb_callbacks.scanning.layer_calls import apply, functional_network, site_of
from modelkb_callbacks.scanning.learning_rates import merged_rates, note_made
from modelkb_callbacks.scanning.machine import Frame, Machine
from modelkb_callbacks.scanning.methods import call_method
from modelkb_callbacks.scanning.origins import changed
from modelkb_callbacks.scanning.own_data import fed_by_class, fed_by_function
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.values import (
    Argument,
    Arguments,
    Choice,
    Class,
    External,
    Function,
    Instance,
    Item,
    Items,
    Made,
    Mapping,
    Method,
    Opaque,
    Value,
    is_tensor,
    origins_of,
)

# Methods of a model that mean the same where a user's class overrides them.
_OVERRIDDEN = {"compile", "evaluate", "fit", "fit_generator"}
_FIELD_DECORATORS = {"attrs", "dataclass", "define", "frozen"}
_FIELD_BASES = ("NamedTuple", "BaseModel", "BaseSettings", "TypedDict", "Struct")


def call_value(
    machine: Machine, function: Value, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value:
    """Return what is known of the result of a call."""
    if isinstance(function, Choice):
        return join_all(
            call_value(machine, option, arguments, node, scope) for option in function.options
        )
    if isinstance(function, External):
        return call_external(machine, function.name, arguments, node, scope)
    if isinstance(function, Function):
        receiver = function.receiver
        if function.name in _OVERRIDDEN and _is_model(receiver) and isinstance(node, ast.Call):
            return call_method(machine, receiver, function.name, arguments, node)
        return call_function(machine, function, arguments, node)
    if isinstance(function, Class):
        return instantiate(machine, function, arguments, node)
    if isinstance(function, Method):
        return _call_method(machine, function, arguments, node, scope)
    if isinstance(function, Made) and function.name == "functools.partial":
        return _call_partial(machine, function, arguments, node, scope)
    if isinstance(function, Instance):
        own = class_attribute(function.cls, "__call__")
        if isinstance(own, Function) and function.cls.kind is None:
            return call_function(machine, replace(own, receiver=function), arguments, node)
    return apply(machine, function, arguments, node)


def _is_model(value: Value | None) -> TypeGuard[Instance]:
    return isinstance(value, Instance) and value.cls.kind == "model"


def _call_method(
    machine: Machine, method: Method, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value:
    owner = method.owner
    if isinstance(owner, Method) and owner.name == "super":
        return _call_super(machine, owner.owner, method.name, arguments, node)
    if isinstance(owner, Choice):
        return join_all(
            _call_method(machine, Method(option, method.name), arguments, node, scope)
            for option in owner.options
        )
    assert isinstance(node, ast.Call)
    return call_method(machine, owner, method.name, arguments, node)


def _call_partial(
    machine: Machine, made: Made, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value:
    first = made.arguments.positional
    if not first:
        return Opaque("functools.partial of nothing")
    merged = Arguments(
        [*first[1:], *arguments.positional],
        made.arguments.keywords | arguments.keywords,
        arguments.rest or made.arguments.rest,
    )
    return call_value(machine, first[0].value, merged, node, scope)


def _call_super(
    machine: Machine, receiver: Value, name: str, arguments: Arguments, node: ast.expr
) -> Value:
    """Follow ``super().method()`` into a base of this source; Keras' own do nothing here."""
    function = machine.frames[-1].function
    if isinstance(receiver, Instance) and function is not None and function.owner is not None:
        for cls in ancestors(function.owner)[1:]:
            found = cls.attributes.get(name)
            if isinstance(found, Function):
                return call_function(machine, replace(found, receiver=receiver), arguments, node)
        if name == "__init__" and _has_fields(function.owner):
            _set_fields(machine, receiver, arguments)
    return Opaque(f"the result of super().{name}", arguments.origins())


def call_function(
    machine: Machine, function: Function, arguments: Arguments, node: ast.AST
) -> Value:
    """Follow a call into a function of the source."""
    known = function.node
    if not machine.dry:
        machine.findings.call_sites.setdefault(known, set()).add(node)
    if not machine.may_enter(function):
        last = machine.last_result.get(known)
        unknown = Opaque(
            f"a call of {function.name} that is not followed",
            changed(arguments.origins() | (origins_of(last) if last else frozenset())),
        )
        return join(last, unknown) if last is not None else unknown
    scope = Scope(parent=function.scope, place=known)
    _bind_parameters(machine, function, arguments, scope)
    result = _follow(machine, function, arguments, node, scope)
    machine.last_result[known] = result
    if isinstance(result, Function) and result.scope is scope:
        result = replace(result, name=function.name)
    return result


def _follow(
    machine: Machine, function: Function, arguments: Arguments, call: ast.AST, scope: Scope
) -> Value:
    node = function.node
    machine.entered[node] = machine.entered.get(node, 0) + 1
    frame = Frame(function, machine.shadow)
    machine.frames.append(frame)
    owner = function.owner
    pushed = owner is not None and owner.kind in ("model", "layer")
    if pushed and owner is not None:
        machine.classes.append(owner)
    try:
        if isinstance(node, ast.Lambda):
            return machine.evaluate(node.body, scope)
        machine.run(node.body, scope)
    finally:
        machine.frames.pop()
        if pushed:
            machine.classes.pop()
    result = join_all(frame.returns)
    if frame.is_generator or isinstance(node, ast.AsyncFunctionDef):
        origins = origins_of(result) | fed_by_function(machine, function, arguments, call)
        return Opaque(f"what the generator {function.name} yields", origins)
    return result


def _bind_parameters(
    machine: Machine, function: Function, arguments: Arguments, scope: Scope
) -> None:
    spec = function.node.args
    positional = list(arguments.positional)
    names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
    if function.receiver is not None and names:
        scope.names[names.pop(0)] = function.receiver
    by_name = dict(arguments.keywords)
    given: dict[str, Argument] = {}
    for name in names:
        if positional:
            scope.names[name] = positional.pop(0).value
        elif name in by_name:
            given[name] = by_name.pop(name)
    for each in spec.kwonlyargs:
        names.append(each.arg)
        if each.arg in by_name:
            given[each.arg] = by_name.pop(each.arg)
    for name in names:
        if name in given:
            scope.names[name] = given[name].value
        elif name not in scope.names:
            scope.names[name] = _missing(function, name, arguments)
    if spec.vararg:
        items = [Item(each.value, each.node) for each in positional]
        scope.names[spec.vararg.arg] = Items("tuple", items, arguments.rest is None)
    if spec.kwarg:
        items_by_name: dict[object, Value] = {key: each.value for key, each in by_name.items()}
        scope.names[spec.kwarg.arg] = Mapping(items_by_name, arguments.rest is None, machine.birth)
    _note_parameters(machine, function, scope, {*given, *function.defaults})


def _missing(function: Function, name: str, arguments: Arguments) -> Value:
    if arguments.rest is not None:
        return Opaque(f"{name!r} may come from * or **")
    default = function.defaults.get(name)
    return default or Opaque(f"the argument {name!r} of {function.name} is known only in a run")


def _note_parameters(machine: Machine, function: Function, scope: Scope, names: set[str]) -> None:
    if machine.dry or machine.shadow:
        return
    place = function.node
    for name in sorted(names):
        if name in scope.names:
            value = scope.names[name]
            machine.findings.bindings.append(Binding("argument", name, place, value, place.lineno))


def instantiate(machine: Machine, cls: Class, arguments: Arguments, node: ast.expr) -> Value:
    """Return an object of a class of the source."""
    if cls.kind == "enum":
        value = arguments.value(position=0)
        return value or Opaque(f"a member of {cls.name}")
    initial = class_attribute(cls, "__init__")
    if cls.kind == "model" and _has_tensors(arguments):
        network = functional_network(machine, cls.name, arguments, node)
        if initial is None:
            network.cls = cls
            return network
    site = site_of(node, cls.name)
    origins = arguments.origins() | fed_by_class(machine, cls, arguments, node)
    made = Instance(cls, {}, site, arguments, origins, machine.birth)
    for each in ancestors(cls):
        machine.findings.instances.setdefault(each.node, made)
    if cls.kind == "optimizer":
        note_made(machine, made, node)
    if cls.kind == "layer":
        machine.note_layer(site)
        machine.findings.layers.setdefault(site, []).append(made)
        machine.findings.sinks.add(node)
    if isinstance(initial, Function):
        if cls.kind != "layer":
            call_function(machine, replace(initial, receiver=made), arguments, node)
    elif _has_fields(cls) or arguments.keywords:
        _set_fields(machine, made, arguments)
    return made


def _has_tensors(arguments: Arguments) -> bool:
    return any(is_tensor(each.value) for each in arguments.all())


def _has_fields(cls: Class) -> bool:
    """Return whether a class is called with its fields: dataclasses and their like."""
    for each in ancestors(cls):
        if _FIELD_DECORATORS & decorator_names(each.node):
            return True
        for base in each.bases:
            if isinstance(base, External) and base.name.rpartition(".")[2] in _FIELD_BASES:
                return True
    return False


def _set_fields(machine: Machine, made: Instance, arguments: Arguments) -> None:
    fields = [
        statement.target.id
        for cls in reversed(ancestors(made.cls))
        for statement in cls.node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]
    fields = list(dict.fromkeys(fields))
    for name, argument in zip(fields, arguments.positional, strict=False):
        made.attributes[name] = argument.value
    for name, argument in arguments.keywords.items():
        made.attributes[name] = argument.value
    for name in fields:
        if name not in made.attributes and arguments.rest is not None:
            made.attributes[name] = Opaque(f"{name!r} may come from * or **")
    for name, value in made.attributes.items():
        if not (machine.dry or machine.shadow):
            line = made.site.line
            binding = Binding("attribute", name, made.cls.node, value, line)
            machine.findings.bindings.append(binding)


def run_uncalled(machine: Machine) -> None:
    """Follow the functions that nothing in the source calls, with what their defaults say."""
    functions = machine.findings.functions
    index = 0
    while index < len(functions):
        function = functions[index]
        index += 1
        if function.node in machine.entered:
            continue
        receiver = function.receiver
        if function.owner is not None and "staticmethod" not in decorators_of(function):
            receiver = _some_instance(machine, function.owner)
        if function.node not in machine.entered:
            machine.weak += 1
            rates = machine.rates
            call_function(machine, replace(function, receiver=receiver), Arguments(), function.node)
            machine.rates = merged_rates(rates, machine.rates)
            machine.weak -= 1


def _some_instance(machine: Machine, cls: Class) -> Value:
    known = machine.findings.instances.get(cls.node)
    if known is not None:
        return known
    if cls.kind == "enum":
        return Opaque(f"a member of {cls.name}")
    made = instantiate(machine, cls, Arguments(), cls.node)  # type: ignore[arg-type]
    machine.findings.layers.pop(site_of(cls.node, cls.name), None)
    return made
