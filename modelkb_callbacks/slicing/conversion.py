"""Turning blocks of statements into nodes of a program."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from modelkb_callbacks.slicing.program import Arm, Branch, Definition, Leaf, Node, Program
from modelkb_callbacks.slicing.scope import Scope, Variable

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHS = (ast.With, ast.AsyncWith)
TRIES = (ast.Try,) if not hasattr(ast, "TryStar") else (ast.Try, ast.TryStar)
_ENDINGS = ("sys.exit", "os._exit")


class Converter:
    """Makes nodes, and notes what names are defined as."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def convert(self, body: Iterable[ast.AST], scope: Scope, *, passed: bool = False) -> list[Node]:
        """Return the nodes of a block.

        Args:
            body: Its statements.
            scope: Where their names are looked up.
            passed: Whether it was run on the way to ``fit``, so that blocks which leave it by
                ``return`` or ``raise`` cannot have been run.
        """
        return [self._node(each, scope, passed=passed) for each in body]

    def _node(self, node: ast.AST, scope: Scope, *, passed: bool) -> Node:
        if isinstance(node, ast.If):
            arms = [self._arm("body", node.body, scope, passed)]
            if node.orelse:
                arms.append(self._arm("else", node.orelse, scope, passed))
            return Branch("if", node, scope, arms)
        if isinstance(node, _LOOPS):
            return self.loop(node, scope, self.convert(node.body, scope, passed=passed))
        if isinstance(node, _WITHS):
            self.note_with(node, scope)
            return Branch("with", node, scope, [self._arm("body", node.body, scope, passed)])
        if isinstance(node, TRIES):
            return self._try(node, scope, passed=passed)
        if isinstance(node, ast.Match):
            arms = [
                Arm(
                    "case",
                    case,
                    self.convert(case.body, scope, passed=passed),
                    self._is_left(case.body, scope, passed),
                )
                for case in node.cases
            ]
            return Branch("match", node, scope, arms)
        self._note(node, scope)
        return Leaf(node, scope)

    def loop(
        self, node: ast.For | ast.AsyncFor | ast.While, scope: Scope, body: list[Node]
    ) -> Branch:
        """Return a loop with a body that is converted already."""
        if not isinstance(node, ast.While):
            self._assign(node.target, node.iter, scope, whole=False)
        branch = Branch("loop", node, scope, [Arm("body", None, body)])
        if node.orelse:
            branch.arms.append(Arm("else", None, self.convert(node.orelse, scope)))
        branch.jumps = list(_jumps(body))
        return branch

    def note_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        """Note what the names that a ``with`` binds hold."""
        for item in node.items:
            if item.optional_vars is not None:
                self._assign(item.optional_vars, item.context_expr, scope, whole=False)

    def define(self, variable: Variable | None, definition: Definition) -> None:
        """Note a function or class that a variable is defined as."""
        if variable:
            self._program.definitions.setdefault(variable, []).append(definition)

    def assign(self, variable: Variable | None, value: ast.expr, scope: Scope) -> None:
        """Note an expression that a variable is assigned."""
        if variable:
            self._program.assignments.setdefault(variable, []).append((value, scope))

    def _arm(self, kind: str, body: list[ast.stmt], scope: Scope, passed: bool) -> Arm:
        nodes = self.convert(body, scope, passed=passed)
        return Arm(kind, None, nodes, self._is_left(body, scope, passed))

    @staticmethod
    def _is_left(body: list[ast.stmt], scope: Scope, passed: bool) -> bool:
        if not passed or not body:
            return False
        last = body[-1]
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
            func = last.value.func
            is_exit = isinstance(func, ast.Name) and func.id in ("exit", "quit")
            return is_exit or scope.dotted_name(func) in _ENDINGS
        return isinstance(last, (ast.Return, ast.Raise))

    def _try(self, node: ast.Try, scope: Scope, *, passed: bool) -> Branch:
        # Inside, a `raise` can be caught, and so can have been run.
        arms = [Arm("body", None, self.convert(node.body, scope))]
        for handler in node.handlers:
            nodes = self.convert(handler.body, scope, passed=passed)
            arms.append(Arm("except", handler, nodes, self._is_left(handler.body, scope, passed)))
        if node.orelse:
            arms.append(Arm("else", None, self.convert(node.orelse, scope)))
        if node.finalbody:
            arms.append(Arm("finally", None, self.convert(node.finalbody, scope)))
        return Branch("try", node, scope, arms)

    def _note(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.define(scope.variable(node.name), Definition(node, scope))
        elif isinstance(node, ast.ClassDef):
            self.define(scope.variable(node.name), Definition(node, scope))
            for each in node.body:
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    methods = self._program.methods.setdefault(each.name, [])
                    methods.append(Definition(each, scope))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value, scope, whole=True)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value, scope, whole=True)

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope, *, whole: bool) -> None:
        if isinstance(target, ast.Name):
            variable = scope.variable(target.id)
            if isinstance(value, ast.Attribute) and scope.dotted_name(value) == "absl.flags.FLAGS":
                scope.dotted[target.id] = "absl.flags.FLAGS"
            if isinstance(value, ast.Lambda) and whole:
                self.define(variable, Definition(value, scope))
            self.assign(variable, value, scope)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts: list[ast.expr] = [value] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(parts):
                parts = value.elts
            for one, part in zip(target.elts, parts, strict=True):
                self._assign(one, part, scope, whole=False)


def _jumps(nodes: list[Node]) -> Iterable[Leaf]:
    """Walk the ``break`` and ``continue`` that belong to the loop around some nodes."""
    for node in nodes:
        if isinstance(node, Leaf):
            if isinstance(node.node, (ast.Break, ast.Continue)):
                yield node
        elif node.kind == "loop":
            for arm in node.arms[1:]:
                yield from _jumps(arm.nodes)
        else:
            for arm in node.arms:
                yield from _jumps(arm.nodes)
