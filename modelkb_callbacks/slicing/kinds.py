"""What a variable holds, as far as it matters: part of a model, a plot, a plain number."""

from __future__ import annotations

import ast
from typing import Literal

from modelkb_callbacks.slicing import known_calls
from modelkb_callbacks.slicing.bound_names import statements_of
from modelkb_callbacks.slicing.program import Definition, Program
from modelkb_callbacks.slicing.scope import Scope, Variable

Kind = Literal["model", "harmless", "scalar", "object", "class", "unknown"]

_SCALAR_CALLS = frozenset({"len", "int", "float", "str", "bool", "round", "abs", "range"})
_LONGEST_CHAIN = 20  # of names that stand for each other
SCALAR_ATTRIBUTES = frozenset({"shape", "dtype", "size", "ndim", "name", "__name__", "itemsize"})


class Kinds:
    """Finds what variables hold; what is not sure is ``unknown``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[Variable, Kind] = {}
        self._builders: dict[int, bool] = {}

    def of_variable(self, variable: Variable | None) -> Kind:
        """Return what a variable holds whenever it is set."""
        if variable is None:
            return "unknown"
        known = self._known.get(variable)
        if known is not None:
            return known
        self._known[variable] = "unknown"  # while it is being asked for
        found = self._of_variable(variable)
        self._known[variable] = found
        return found

    def mark_as_model(self, variable: Variable) -> None:
        """Note that a variable surely holds a model: ``fit`` is called on it."""
        self._known[variable] = "model"

    def class_of(self, node: ast.expr, scope: Scope, depth: int = 0) -> Definition | None:
        """Return the user's class that an object surely is of."""
        if not isinstance(node, ast.Name):
            return None
        values = self._program.assignments.get(scope.variable(node.id) or "", [])
        if len(values) != 1:
            return None
        value, around = values[0]
        if isinstance(value, ast.Name) and depth < _LONGEST_CHAIN:
            return self.class_of(value, around, depth + 1)
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
            return None
        found = self._program.definitions.get(around.variable(value.func.id) or "", [])
        is_class = len(found) == 1 and isinstance(found[0].node, ast.ClassDef)
        return found[0] if is_class else None

    def _of_variable(self, variable: Variable) -> Kind:
        values = self._program.assignments.get(variable, ())
        if not values:
            is_class = any(
                isinstance(each.node, ast.ClassDef)
                for each in self._program.definitions.get(variable, ())
            )
            return "class" if is_class else "unknown"
        kinds = {self.of(value, scope) for value, scope in values[:20]}
        return kinds.pop() if len(kinds) == 1 else "unknown"

    def of(self, node: ast.expr, scope: Scope) -> Kind:
        """Return what an expression gives."""
        if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Compare)):
            return "scalar"
        if isinstance(node, ast.Name):
            return self.of_variable(scope.variable(node.id))
        if isinstance(node, ast.Attribute):
            if node.attr in SCALAR_ATTRIBUTES:
                return "scalar"
            return self._of_dotted(scope.dotted_name(node)) or self._of_part(node.value, scope)
        if isinstance(node, (ast.Subscript, ast.Starred, ast.Await)):
            return self.of(node.value, scope)
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand, scope)
        if isinstance(node, ast.BinOp):
            both = {self.of(node.left, scope), self.of(node.right, scope)}
            return both.pop() if len(both) == 1 else "unknown"
        if isinstance(node, ast.Call):
            return self._of_call(node, scope)
        return "unknown"

    def _of_part(self, node: ast.expr, scope: Scope) -> Kind:
        kind = self.of(node, scope)
        return kind if kind in ("model", "harmless") else "unknown"

    def _of_call(self, node: ast.Call, scope: Scope) -> Kind:
        known = self._of_dotted(scope.dotted_name(node.func))
        if known is not None:
            return known
        if isinstance(node.func, ast.Name):
            variable = scope.variable(node.func.id)
            if variable is None:
                return "scalar" if node.func.id in _SCALAR_CALLS else "unknown"
            for each in self._program.definitions.get(variable, ()):
                if self._builds_model(each):
                    return "model"
                if isinstance(each.node, ast.ClassDef):
                    return "object"
            return "model" if self.of_variable(variable) == "model" else "unknown"
        if isinstance(node.func, ast.Attribute):
            own = self._of_part(node.func.value, scope)
            if own == "model" and node.func.attr in ("predict", "predict_on_batch", "evaluate"):
                return "unknown"
            return own
        return "model" if self.of(node.func, scope) == "model" else "unknown"

    @staticmethod
    def _of_dotted(dotted: str) -> Kind | None:
        if not dotted:
            return None
        if known_calls.builds_model(dotted):
            return "model"
        return "harmless" if known_calls.is_harmless(dotted) else None

    def _builds_model(self, definition: Definition) -> bool:
        """Return whether a function makes a model, or a class is one."""
        known = self._builders.get(id(definition.node))
        if known is not None:
            return known
        self._builders[id(definition.node)] = False
        node, scope = definition.node, definition.scope
        if isinstance(node, ast.ClassDef):
            found = any(known_calls.builds_model(scope.dotted_name(base)) for base in node.bases)
        elif isinstance(node, ast.Lambda):
            found = False
        else:
            found = any(self._returns_model(each, node, scope) for each in statements_of(node))
        self._builders[id(definition.node)] = found
        return found

    def _returns_model(self, each: ast.AST, function: ast.AST, scope: Scope) -> bool:
        if not isinstance(each, ast.Return) or each.value is None:
            return False
        returned = each.value
        if isinstance(returned, ast.Tuple) and returned.elts:
            return False
        if isinstance(returned, ast.Call):
            return self._makes_model(returned, scope)
        if not isinstance(returned, ast.Name):
            return False
        calls = [
            node.value
            for node in statements_of(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and any(isinstance(to, ast.Name) and to.id == returned.id for to in node.targets)
        ]
        return any(self._makes_model(call, scope) for call in calls)

    def _makes_model(self, call: ast.Call, scope: Scope) -> bool:
        if known_calls.builds_model(scope.dotted_name(call.func)):
            return True
        if isinstance(call.func, ast.Name):
            found = self._program.definitions.get(scope.variable(call.func.id) or "", ())
            return any(self._builds_model(each) for each in found)
        return False
