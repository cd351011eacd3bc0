"""Binding the parameters of a function on the stack to the arguments that it was given."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from modelkb_callbacks.slicing.bound_names import bound_names, parameter_names
from modelkb_callbacks.slicing.call_site import CallSite, called_name
from modelkb_callbacks.slicing.conversion import Converter
from modelkb_callbacks.slicing.frame_location import FrameLocation, Scalar
from modelkb_callbacks.slicing.program import Leaf, Program
from modelkb_callbacks.slicing.scope import Scope, Variable

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class ParameterBinder:
    """Makes the assignments that stand for the passing of arguments."""

    def __init__(self, program: Program, converter: Converter) -> None:
        self._program = program
        self._converter = converter
        self.values: dict[Variable, Scalar] = {}

    def bind(
        self,
        site: CallSite,
        frame: FrameLocation,
        call: ast.Call | None,
        caller: Scope,
        scope: Scope,
    ) -> list[Leaf]:
        """Return assignments to the parameters.

        Args:
            site: The function.
            frame: The frame that runs it; its values stand in for arguments not found.
            call: The call; None if it isn't known.
            caller: The scope of the call.
            scope: The scope of the function.
        """
        function = site.function
        if function is None:
            return []
        self.note_values(scope, frame)
        names = parameter_names(function.args)
        leaves: list[Leaf] = []
        is_method = bool(site.parents) and isinstance(site.parents[-1], ast.ClassDef)
        skipped = 0
        if is_method and names and not _is_static(function):
            scope.own_object = names[0] if not _is_class_method(function) else ""
            scope.class_name = site.parents[-1].name
            given = self._own_object(site, call, caller, scope)
            if given is not None:
                skipped = 1
                leaves += self._assign(
                    names[0], given[0], given[1], scope, function, written=given[2]
                )
        if call is None or _is_handed_over(call, function, caller):
            if call is not None and caller.dotted_name(call.func) == "absl.app.run":
                leaves.append(Leaf(call, caller, "flags", (scope.variable(names[0]) or "",)))
            return leaves
        return leaves + self._arguments(function, call, caller, scope, skipped)

    def note_values(self, scope: Scope, frame: FrameLocation) -> None:
        """Note plain values that a function's variables have as ``fit`` runs."""
        for name, value in frame.values.items():
            if name in scope.names:
                self.values[f"{scope.key}:{name}"] = value

    def _own_object(
        self, site: CallSite, call: ast.Call | None, caller: Scope, scope: Scope
    ) -> tuple[ast.expr, Scope, bool] | None:
        """Return what ``self`` is: an expression, its scope, whether it stands in the source."""
        function, kind = site.function, site.parents[-1].name
        if call is None or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        if function.name == "__init__":
            made = ast.parse(f"{kind}.__new__({kind})", mode="eval").body
            if isinstance(call.func, ast.Attribute) and called_name(call) == "__init__":
                own = caller.own_object
                return (ast.Name(own, ast.Load()), caller, False) if own else None
            return made, scope.module, False
        if isinstance(call.func, ast.Attribute) and call.func.attr != "__call__":
            base = call.func.value
            if isinstance(base, ast.Call) and called_name(base) == "super":
                own = caller.own_object
                return (ast.Name(own, ast.Load()), caller, False) if own else None
            if isinstance(base, ast.Name) and base.id == kind and not _is_class_method(function):
                return None  # called as a plain function, the object being an argument
            return base, caller, True
        return (call.func, caller, True) if function.name in ("__call__", "call") else None

    def _arguments(
        self,
        function: _FunctionNode,
        call: ast.Call,
        caller: Scope,
        scope: Scope,
        skipped: int,
    ) -> list[Leaf]:
        arguments = function.args
        names = [each.arg for each in [*arguments.posonlyargs, *arguments.args]][skipped:]
        has_stars = any(isinstance(each, ast.Starred) for each in call.args)
        has_stars |= any(each.arg is None for each in call.keywords)
        if has_stars or arguments.vararg or arguments.kwarg:
            return self._unpack(function, call, caller, scope, skipped)
        given: dict[str, tuple[ast.expr, Scope]] = {}
        for name, value in zip(names, call.args, strict=False):
            given[name] = (value, caller)
        given.update({each.arg: (each.value, caller) for each in call.keywords if each.arg})
        around = scope.parent or scope
        defaults = list(zip(reversed(names), reversed(arguments.defaults), strict=False))
        only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults += [(each.arg, value) for each, value in only if value is not None]
        for name, value in defaults:
            given.setdefault(name, (value, around))
        order = parameter_names(arguments)
        return [
            leaf
            for name in sorted(given, key=lambda each: order.index(each) if each in order else 0)
            if name in order
            for leaf in self._assign(
                name, given[name][0], given[name][1], scope, function, written=True
            )
        ]

    def _assign(
        self,
        name: str,
        value: ast.expr,
        around: Scope,
        scope: Scope,
        function: _FunctionNode,
        *,
        written: bool,
    ) -> list[Leaf]:
        variable = f"{scope.key}:{name}"
        if isinstance(value, ast.Name) and value.id == name:
            same = around.variable(name)
            holder = around.holder(name)
            is_fixed = holder is not None and name not in holder.declared | scope.declared
            if same is not None and is_fixed and name not in _rebound(function):
                scope.links[name] = same
                return []
        self._converter.assign(variable, value, around)
        return [Leaf(value, around, "binding", (variable,), written)]

    def _unpack(
        self,
        function: _FunctionNode,
        call: ast.Call,
        caller: Scope,
        scope: Scope,
        skipped: int,
    ) -> list[Leaf]:
        arguments = function.args
        signature = ast.arguments(
            posonlyargs=arguments.posonlyargs[skipped:],
            args=arguments.args[max(skipped - len(arguments.posonlyargs), 0) :],
            vararg=arguments.vararg,
            kwonlyargs=arguments.kwonlyargs,
            kw_defaults=arguments.kw_defaults,
            kwarg=arguments.kwarg,
            defaults=arguments.defaults,
        )
        targets = tuple(f"{scope.key}:{name}" for name in parameter_names(signature))
        return [Leaf(call, caller, "unpacking", targets, True, signature, scope.parent)]


def is_handed_through(function: _FunctionNode, call: ast.Call | None) -> bool:
    """Return whether a function only hands all of its arguments on, as decorators do."""
    arguments = function.args
    if call is None or arguments.vararg is None or arguments.kwarg is None:
        return False
    if arguments.args or arguments.posonlyargs or arguments.kwonlyargs:
        return False
    if len(call.args) != 1 or len(call.keywords) != 1 or call.keywords[0].arg is not None:
        return False
    star, options = call.args[0], call.keywords[0].value
    return (
        isinstance(star, ast.Starred)
        and isinstance(star.value, ast.Name)
        and star.value.id == arguments.vararg.arg
        and isinstance(options, ast.Name)
        and options.id == arguments.kwarg.arg
    )


def _is_handed_over(call: ast.Call, function: _FunctionNode, caller: Scope) -> bool:
    """Return whether a call only hands the function over: ``pool.map(train, parts)``."""
    name = getattr(function, "name", "")
    if called_name(call) == name:
        return False
    of_library = bool(caller.dotted_name(call.func))
    if isinstance(call.func, ast.Name):
        of_library |= caller.variable(call.func.id) is None and call.func.id != "super"
    if of_library:
        return True
    values: Iterable[ast.expr] = [*call.args, *(each.value for each in call.keywords)]
    names = {each.id for each in values if isinstance(each, ast.Name)}
    names |= {each.attr for each in values if isinstance(each, ast.Attribute)}
    return name in names


def _rebound(function: _FunctionNode) -> set[str]:
    return set() if isinstance(function, ast.Lambda) else bound_names(function.body)


def _decorators(function: _FunctionNode) -> set[str]:
    return {
        each.id for each in getattr(function, "decorator_list", ()) if isinstance(each, ast.Name)
    }


def _is_static(function: _FunctionNode) -> bool:
    return "staticmethod" in _decorators(function)


def _is_class_method(function: _FunctionNode) -> bool:
    return "classmethod" in _decorators(function)
