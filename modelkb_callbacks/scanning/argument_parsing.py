"""Options of the command line and their defaults: argparse, optparse, absl flags and click."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.findings import Binding
from modelkb_callbacks.scanning.values import (
    NONE,
    Arguments,
    Constant,
    External,
    Function,
    Items,
    Made,
    Mapping,
    Opaque,
    Value,
    tuple_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_PARSERS = (
    "argparse.ArgumentParser",
    "configargparse.ArgumentParser",
    "configargparse.ArgParser",
    "optparse.OptionParser",
)
_PARTS_OF_PARSERS = {
    "add_argument_group",
    "add_mutually_exclusive_group",
    "add_parser",
    "add_subparsers",
}
_OPTIONS = "options"
_CONVERSIONS = {"int": int, "float": float, "str": str}


def is_parser(name: str) -> bool:
    """Return whether a class is a parser of command-line arguments."""
    return name in _PARSERS


def parser_of(arguments: Arguments, made: Made) -> Made:
    """Return a new parser: it holds its options under a name of ours."""
    parents = arguments.value("parents")
    options = Mapping({})
    for item in parents.items if isinstance(parents, Items) else ():
        if isinstance(item.value, Made) and is_parser(item.value.name):
            options.items.update(options_of_parser(item.value).items)
    made.options = options
    return made


def options_of_parser(parser: Made) -> Mapping:
    """Return the options of a parser."""
    if parser.options is None:
        parser.options = Mapping({})
    return parser.options


def parser_method(
    machine: Machine, owner: Made, name: str, arguments: Arguments, node: ast.Call
) -> Value | None:
    """Follow a call of a parser's method; None if the owner is no parser."""
    if not is_parser(owner.name):
        return None
    if name in ("add_argument", "add_option"):
        _add_argument(machine, owner, arguments, node)
        return NONE
    if name in _PARTS_OF_PARSERS:
        return owner
    if name == "set_defaults":
        for key, argument in arguments.keywords.items():
            _set(machine, owner, key, argument.value, node)
        return NONE
    if name in ("parse_args", "parse_known_args", "parse_intermixed_args"):
        namespace = Mapping(dict(options_of_parser(owner).items), False, machine.birth)
        if name == "parse_known_args" or owner.name.startswith("optparse."):
            return tuple_of(node, namespace, Opaque("arguments of the command line"))
        return namespace
    return None


def _add_argument(machine: Machine, owner: Made, arguments: Arguments, node: ast.Call) -> None:
    flags = [
        each.value.value
        for each in arguments.positional
        if isinstance(each.value, Constant) and isinstance(each.value.value, str)
    ]
    dest = arguments.value("dest")
    if isinstance(dest, Constant) and isinstance(dest.value, str):
        name = dest.value
    elif flags:
        long_flags = [flag for flag in flags if flag.startswith("--")]
        name = (long_flags or flags)[0].lstrip("-").replace("-", "_")
    else:
        return
    is_option = any(flag.startswith("-") for flag in flags)
    _set(machine, owner, name, _default(machine, arguments, node, is_option=is_option), node)


def _default(machine: Machine, arguments: Arguments, node: ast.Call, *, is_option: bool) -> Value:
    action = arguments.value("action")
    default = arguments.value("default")
    if default is not None:
        return _converted(machine, default, arguments, node)
    kind = action.value if isinstance(action, Constant) else None
    if kind in ("store_true", "store_false"):
        return Constant(kind == "store_false")
    required = arguments.value("required")
    if not is_option or (isinstance(required, Constant) and required.value):
        return Opaque("an argument of the command line without a default")
    return NONE if kind != "version" else Opaque("no value")


def _converted(machine: Machine, default: Value, arguments: Arguments, node: ast.Call) -> Value:
    """Apply ``type`` as argparse does: to a default that is a text."""
    kind = arguments.value("type")
    if isinstance(kind, Constant):  # of optparse: type="int"
        kind = External(f"builtins.{kind.value}")
    if not (isinstance(default, Constant) and isinstance(default.value, str)) or kind is None:
        return default
    if isinstance(kind, External):
        convert = _CONVERSIONS.get(kind.name.removeprefix("builtins."))
        if convert is None:
            return default if "Path" in kind.name else Opaque(f"converted by {kind.name}")
        try:
            return Constant(convert(default.value))
        except ValueError:
            return Opaque("a default that cannot be converted")
    if isinstance(kind, Function):
        from modelkb_callbacks.scanning.calls import call_function
        from modelkb_callbacks.scanning.values import Argument

        return call_function(machine, kind, Arguments([Argument(default, node)]), node)
    return Opaque("a default that is converted in a way not known")


def _set(machine: Machine, owner: Made, name: str, value: Value, node: ast.AST) -> None:
    options_of_parser(owner).items[name] = value
    _note(machine, name, value, node)


def _note(machine: Machine, name: str, value: Value, node: ast.AST) -> None:
    if not (machine.dry or machine.shadow):
        line = getattr(node, "lineno", 0)
        machine.findings.bindings.append(Binding("option", name, None, value, line))


def define_flag(machine: Machine, arguments: Arguments, node: ast.expr) -> Value:
    """Follow ``flags.DEFINE_integer(name, default, help)`` and its like of absl."""
    name = arguments.value("name", position=0)
    default = arguments.value("default", "default_value", position=1)
    value = default or Opaque("a flag without a default")
    if isinstance(name, Constant) and isinstance(name.value, str):
        machine.findings.flags.items[name.value] = value
        _note(machine, name.value, value, node)
    return value


def click_defaults(
    machine: Machine, decorators: list[tuple[str, Arguments, ast.expr]]
) -> dict[str, Value]:
    """Return the defaults that decorators of click give to a function's parameters."""
    defaults: dict[str, Value] = {}
    for decorator, arguments, node in decorators:
        if not decorator.startswith(("click.", "typer.")):
            continue
        names = [
            each.value.value
            for each in arguments.positional
            if isinstance(each.value, Constant) and isinstance(each.value.value, str)
        ]
        if decorator not in ("click.option", "click.argument") or not names:
            continue
        plain_names = [name for name in names if not name.startswith("-")]
        longest = max(names, key=lambda name: name.startswith("--"))
        name = (plain_names or [longest])[0].lstrip("-").partition("/")[0].replace("-", "_")
        default = arguments.value("default")
        if default is None and arguments.value("is_flag") is not None:
            default = Constant(False)
        defaults[name] = default or Opaque("an option of the command line without a default")
        _note(machine, name, defaults[name], node)
    return defaults
