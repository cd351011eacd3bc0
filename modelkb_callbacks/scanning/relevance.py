"""Which statements and names a training depends on: a backward slice by names.

It is coarse on purpose. A name stands for all of its values, a statement for all of its
names, and ``anything.epochs`` for every attribute of that name: what is kept too much is a
constant more in a table, what is missed is a setting lost.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from modelkb_callbacks.scanning.operations import MOST_ITEMS

Key: TypeAlias = tuple[object, str]
_ATTRIBUTE = "attribute"
_RETURN = "return"
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(slots=True, eq=False)
class _Step:
    """A statement, or the head of one that has a body.

    Attributes:
        place: The function or class it is in.
        binds: What it binds or changes.
        uses: What it uses.
        calls: The calls in it.
        around: The heads of statements around it.
    """

    place: object | None
    around: tuple[_Step, ...]
    binds: set[Key] = field(default_factory=set)
    uses: set[Key] = field(default_factory=set)
    calls: list[ast.Call] = field(default_factory=list)


class Relevance:
    """Which names and calls of a program a training depends on.

    Args:
        tree: The program.
        sinks: Calls that are the training, or make a model: all they use is needed.
    """

    def __init__(self, tree: ast.Module, sinks: set[ast.AST]) -> None:
        self._locals: dict[object, set[str]] = {}
        self._parents: dict[object, object | None] = {}
        self._functions: dict[Key, list[ast.AST]] = defaultdict(list)
        self._steps: list[_Step] = []
        self._read(tree.body, None, ())
        self._step_of = {call: step for step in self._steps for call in step.calls}
        self._names: set[Key] = set()
        self._needed: set[_Step] = set()
        self._follow(sinks)

    def has_name(self, place: object | None, name: str) -> bool:
        """Return whether a training depends on a name of a function, or of the module."""
        return (place, name) in self._names

    def has_attribute(self, name: str) -> bool:
        """Return whether a training depends on an attribute of this name."""
        return (_ATTRIBUTE, name) in self._names

    def has_call(self, call: ast.AST) -> bool:
        """Return whether a training depends on a call's result."""
        return isinstance(call, ast.Call) and self._step_of.get(call) in self._needed

    def _read(self, body: list[ast.stmt], place: object | None, around: tuple[_Step, ...]) -> None:
        stack = [(statement, place, around) for statement in body]
        while stack:
            statement, where, outer = stack.pop()
            step = _Step(where, outer)
            self._steps.append(step)
            inner = where
            if isinstance(statement, (*_Function, ast.ClassDef)):
                self._define(statement, where, step)
                inner, outer = statement, ()
            else:
                self._read_head(statement, where, step)
                outer = (*outer, step)
            for part in _bodies(statement):
                stack += [(each, inner, outer) for each in part]

    def _define(self, node: Definition, place: object | None, step: _Step) -> None:
        key = self._key(place, node.name)
        self._parents[node] = place
        for each in (*node.decorator_list, *_defaults(node)):
            self._read_expression(each, place, step)
        if isinstance(node, ast.ClassDef):
            return
        self._functions[key].append(node)
        if isinstance(place, ast.ClassDef):
            self._functions[(_ATTRIBUTE, node.name)].append(node)
            if node.name == "__init__":
                self._functions[self._key(self._parents[place], place.name)].append(node)
        names = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        self._locals[node] = names | _bound_in(node)
        step.binds |= {(node, name) for name in names}

    def _read_head(self, node: ast.stmt, place: object | None, step: _Step) -> None:
        for each in _expressions(node):
            self._read_expression(each, place, step)
        if isinstance(node, ast.Return):
            step.binds.add((place, _RETURN))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute):  # `rows.append(row)` changes rows
                step.binds |= self._base(function.value, place)
            for argument in node.value.args:  # `shuffle(rows)` does, too
                if isinstance(argument, ast.Name):
                    step.binds.add(self._key(place, argument.id))

    def _read_expression(self, root: ast.expr, place: object | None, step: _Step) -> None:
        stack: list[ast.AST] = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Name):
                key = self._key(place, node.id)
                (step.uses if isinstance(node.ctx, ast.Load) else step.binds).add(key)
                if isinstance(place, ast.ClassDef) and not isinstance(node.ctx, ast.Load):
                    step.binds.add((_ATTRIBUTE, node.id))
            elif isinstance(node, ast.Attribute):
                key = (_ATTRIBUTE, node.attr)
                (step.uses if isinstance(node.ctx, ast.Load) else step.binds).add(key)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                step.binds |= self._base(node.value, place)
            elif isinstance(node, ast.Call):
                step.calls.append(node)
            elif isinstance(node, ast.Constant):
                if isinstance(node.value, str) and node.value.isidentifier():  # config["epochs"]
                    step.uses.add((_ATTRIBUTE, node.value))
                continue
            elif _is_data(node):
                continue
            stack += ast.iter_child_nodes(node)

    def _base(self, node: ast.expr, place: object | None) -> set[Key]:
        while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self":
                return {(_ATTRIBUTE, node.attr)}
            node = node.func if isinstance(node, ast.Call) else node.value
        return {self._key(place, node.id)} if isinstance(node, ast.Name) else set()

    def _key(self, place: object | None, name: str) -> Key:
        """Return where a name is bound: in its function, one further out, or the module."""
        here: object | None = place
        while here is not None:
            if name in self._locals.get(here, ()):
                return here, name
            here = self._parents.get(here)
        return (place, name) if isinstance(place, ast.ClassDef) else (None, name)

    def _follow(self, sinks: set[ast.AST]) -> None:
        binding: dict[Key, list[_Step]] = defaultdict(list)
        using: dict[Key, list[_Step]] = defaultdict(list)
        for step in self._steps:
            for key in step.binds:
                binding[key].append(step)
            for key in step.uses:
                using[key].append(step)
        callers: dict[object, list[_Step]] = defaultdict(list)
        for key, functions in self._functions.items():
            for function in functions:
                callers[function] += using.get(key, [])
        todo = [step for step in self._steps if any(call in sinks for call in step.calls)]
        while todo:
            step = todo.pop()
            if step in self._needed:
                continue
            self._needed.add(step)
            todo += step.around
            todo += callers.get(step.place, []) if step.place is not None else []
            for key in step.uses - self._names:
                self._names.add(key)
                todo += binding.get(key, [])
                for function in self._functions.get(key, []):
                    todo += binding.get((function, _RETURN), [])


def _is_data(node: ast.AST) -> bool:
    """Return whether a literal is too long to hold settings."""
    elements = getattr(node, "elts", None) or getattr(node, "values", None) or ()
    return len(elements) > MOST_ITEMS


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        part = getattr(node, name, None)
        if isinstance(part, list):
            yield part
    for each in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield each.body


def _expressions(node: ast.stmt) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr
            if child.optional_vars is not None:
                yield child.optional_vars


def _defaults(node: Definition) -> list[ast.expr]:
    if isinstance(node, ast.ClassDef):
        return list(node.bases)
    return [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]


def _bound_in(function: ast.AST) -> set[str]:
    names: set[str] = set()
    outer: set[str] = set()
    stack: list[ast.AST] = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (*_Function, ast.ClassDef)):
            names.add(node.name)
            continue
        stack += ast.iter_child_nodes(node)
    return names - outer
