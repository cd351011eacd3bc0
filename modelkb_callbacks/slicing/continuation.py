"""What comes after ``fit`` in its scope, as far as it leads to ``evaluate`` of the same model."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Sequence

from modelkb_callbacks.slicing.conversion import Converter
from modelkb_callbacks.slicing.frame_location import FIT_NAMES
from modelkb_callbacks.slicing.program import Leaf, Node
from modelkb_callbacks.slicing.scope import Scope, Variable
from modelkb_callbacks.slicing.text_edits import Place, start_of

_INNER_EXPRESSIONS = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_EVALUATE = frozenset({"evaluate"})
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_CHANGING = frozenset({"load_weights", "set_weights", "compile", "quantize", "load_own_variables"})


class Continuation:
    """Turns the statements after a call of ``fit`` into nodes, its evaluations among them.

    Args:
        fit: The call of ``fit``.
        scope: Its scope.
        converter: Makes the nodes.
        left_out: Places of calls of ``evaluate`` that are not to be followed.

    Attributes:
        evaluations: The calls that are followed, in their order.
        problems: Why others are not, and what is missed, for people.
    """

    def __init__(
        self, fit: ast.Call, scope: Scope, converter: Converter, left_out: Container[Place]
    ) -> None:
        self._model = fit.func.value if isinstance(fit.func, ast.Attribute) else None
        is_named = self._model is not None and _is_chain(self._model)
        self._spelling = ast.unparse(self._model) if self._model and is_named else ""
        self._scope = scope
        self._converter = converter
        self._left_out = left_out
        self._ended_by: str | None = None
        self.evaluations: list[Leaf] = []
        self.problems: list[str] = []

    @property
    def model(self) -> tuple[Variable, str]:
        """The model that is trained: its variable, and the attribute of ``self`` that it is."""
        return model_path(self._model, self._scope)

    def end(self, reason: str = "") -> None:
        """Follow nothing that comes after.

        Args:
            reason: Why evaluations that come after are not this training's, for people;
                nothing is told of them if it is empty.
        """
        if self._ended_by is None:
            self._ended_by = reason

    def convert(self, rest: Sequence[ast.stmt], scope: Scope, *, whole: bool) -> list[Node]:
        """Return the nodes of the statements after ``fit`` in one block.

        Args:
            rest: The statements.
            scope: Their scope.
            whole: Whether those that lead to no evaluation are wanted, too.
        """
        self._note_missed(rest)
        length = len(rest) if whole else self._length(rest)
        nodes: list[Node] = []
        for statement in rest[:length]:
            self._look_for_end(statement)
            found = self._converter.convert([statement], scope)
            nodes += self._with_evaluations(found) if self._ended_by is None else found
        for statement in rest[length:]:
            self._look_for_end(statement, quietly=True)
        return nodes

    def _length(self, rest: Sequence[ast.stmt]) -> int:
        """Return how many statements there are up to the last evaluation of this training."""
        length = 0
        for number, statement in enumerate(rest if self._ended_by is None else ()):
            if self._reason(statement) is not None:
                break
            if any(self._wanted(call) for call in self._calls(statement, _EVALUATE)):
                length = number + 1
        return length

    def _look_for_end(self, statement: ast.stmt, *, quietly: bool = False) -> None:
        reason = self._reason(statement)
        if reason is not None:
            self.end(reason)
        elif self._ended_by is None and not quietly and self._changes(statement):
            where = self._scope.source.location(statement.lineno)
            self._problem(f"{where} changes the model after fit(), and is not kept")

    def _reason(self, statement: ast.stmt) -> str | None:
        """Return why a statement is the end of what can be followed; None if it is not."""
        if any(self._calls(statement, FIT_NAMES)):
            return ""  # evaluations that come after are of that training
        for each in _own_nodes(statement, into=True):
            is_set = isinstance(each, (ast.Name, ast.Attribute))
            is_set = is_set and not isinstance(each.ctx, ast.Load)  # type: ignore[attr-defined]
            if is_set and _is_spelled(each, self._spelling):  # type: ignore[arg-type]
                where = self._scope.source.location(statement.lineno)
                return f"{where} gives `{self._spelling}` another value"
        return None

    def _note_missed(self, rest: Sequence[ast.stmt]) -> None:
        """Say which evaluations of the model are not followed."""
        reason = self._ended_by
        for statement in rest:
            reason = self._reason(statement) or reason
            if reason == "" or any(self._calls(statement, FIT_NAMES)):
                return
            for call, is_inside in self._evaluations(statement):
                if reason:
                    self._problem(reason)
                elif is_inside:
                    where = self._scope.source.location(call.lineno)
                    self._problem(f"{where} is in a comprehension or a lambda")

    def _evaluations(self, statement: ast.stmt) -> Iterator[tuple[ast.Call, bool]]:
        """Walk calls of ``evaluate``, and whether each is in an expression's inner scope."""
        for node in _own_nodes(statement, into=True):
            if isinstance(node, _INNER_EXPRESSIONS):
                inner = (each for each in ast.walk(node) if isinstance(each, ast.Call))
                yield from ((each, True) for each in inner if self._is_call(each, _EVALUATE))
            elif isinstance(node, ast.Call) and self._is_call(node, _EVALUATE):
                yield node, False

    def _with_evaluations(self, nodes: list[Node]) -> list[Node]:
        """Put a node of its own before each statement that evaluates."""
        found: list[Node] = []
        for node in nodes:
            leaves = self._evaluations_in(node.node, node.scope)
            if isinstance(node, Leaf):
                node.is_replaced = bool(leaves)
            else:
                for arm in node.arms:
                    arm.nodes = self._with_evaluations(arm.nodes)
            found += [*leaves, node]
        return found

    def _evaluations_in(self, node: ast.AST, scope: Scope) -> list[Leaf]:
        calls = [each for each in self._calls(node, _EVALUATE, into=False) if self._wanted(each)]
        leaves = [Leaf(each, scope, "evaluate", forced=True) for each in calls]
        self.evaluations += leaves
        return leaves

    def _wanted(self, call: ast.Call) -> bool:
        return start_of(call) not in self._left_out

    def _calls(
        self, node: ast.AST, names: Container[str], *, into: bool = True
    ) -> Iterator[ast.Call]:
        """Walk the calls of methods of the model that run as a statement runs."""
        for each in _own_nodes(node, into=into):
            if isinstance(each, ast.Call) and self._is_call(each, names):
                yield each

    def _is_call(self, call: ast.Call, names: Container[str]) -> bool:
        func = call.func
        is_method = isinstance(func, ast.Attribute) and func.attr in names
        return is_method and _is_spelled(func.value, self._spelling)  # type: ignore[attr-defined]

    def _changes(self, statement: ast.AST) -> bool:
        if any(self._calls(statement, _CHANGING)):
            return True
        stored = (
            each
            for each in _own_nodes(statement, into=True)
            if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        )
        return any(ast.unparse(each).startswith(f"{self._spelling}.") for each in stored)

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)


def model_path(node: ast.expr | None, scope: Scope) -> tuple[Variable, str]:
    """Return the variable that a model is held by, and of a method's own object the attribute.

    Both are empty for a model that is an attribute of something else.
    """
    attribute = ""
    while isinstance(node, ast.Attribute):
        attribute, node = node.attr, node.value
    if not isinstance(node, ast.Name):
        return ("", "")
    if attribute and not scope.own_object_named(node.id):
        return ("", "")
    return (scope.variable(node.id) or "", attribute)


def _is_chain(node: ast.expr | None) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_spelled(node: ast.expr, spelling: str) -> bool:
    return bool(spelling) and _is_chain(node) and ast.unparse(node) == spelling


def _own_nodes(node: ast.AST, *, into: bool) -> Iterator[ast.AST]:
    """Walk what runs as a statement runs, in the order of the source.

    Args:
        node: The statement.
        into: Whether to go into the statements inside of it.
    """
    yield node
    if isinstance(node, (*_INNER_EXPRESSIONS, *_DEFINITIONS)):
        return
    for name, value in ast.iter_fields(node):
        if name in _BLOCKS and isinstance(value, list) and not into:
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from _own_nodes(each, into=into)
