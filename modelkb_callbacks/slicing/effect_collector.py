"""Reading off a piece of syntax what it does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from modelkb_callbacks.slicing import known_calls
from modelkb_callbacks.slicing.aliases import Aliases
from modelkb_callbacks.slicing.bound_names import (
    bound_names,
    comprehension_names,
    imported_name,
    local_names,
    outer_parts,
    statements_of,
)
from modelkb_callbacks.slicing.call_effects import CallEffects
from modelkb_callbacks.slicing.effects import FLAGS, Effects
from modelkb_callbacks.slicing.kinds import Kinds
from modelkb_callbacks.slicing.program import Definition, Program
from modelkb_callbacks.slicing.scope import Scope, is_import, is_star

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WITH_BODIES = (*_DEFINITIONS, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Nodes that do nothing by themselves; most of a tree.
_NOTHING = frozenset(
    kind
    for base in (ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)
    for kind in base.__subclasses__()
) | {ast.Constant, ast.Pass, ast.Break, ast.Continue}
# A method that is handed on without being called: `list(map(found.append, rows))`.
_CHANGING_METHODS = frozenset({"append", "add", "extend", "update", "pop", "remove", "appendleft"})


class EffectCollector:
    """Collects effects of statements and expressions of one program."""

    def __init__(self, program: Program, kinds: Kinds, imports: Callable[[ast.AST, Scope], bool]):
        self._program = program
        self._imports = imports
        self._calls = CallEffects(program, kinds, self)
        self.roots = self._calls.roots
        self._summaries: dict[tuple[int, int], tuple[Effects, Scope]] = {}

    def of(self, nodes: Iterable[ast.AST], scope: Scope) -> Effects:
        """Return what running some nodes in a scope does."""
        effects = Effects()
        for node in nodes:
            self.visit(node, scope, effects)
        return effects

    def summary(self, definition: Definition) -> tuple[Effects, Scope]:
        """Return what a function does when it is called, and the scope of its parameters.

        A class stands for all of its methods together.
        """
        node = definition.node
        key = (id(node), definition.scope.key)
        known = self._summaries.get(key)
        if known is None:
            inner = self._inner_scope(definition)
            known = self._summaries[key] = (Effects(), inner)  # while it is being collected
            body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
            effects = self.of(body, inner)
            self._reach_parameters(effects, node, inner)
            known = self._summaries[key] = (effects, inner)
        return known

    def _reach_parameters(self, effects: Effects, function: ast.AST, inner: Scope) -> None:
        """Add what is changed by another name: ``part = data[:9]; part += 1``."""
        if not effects.changes or isinstance(function, (ast.ClassDef, ast.Lambda)):
            return
        aliases = Aliases(self._calls.roots)
        for node in statements_of(function):
            aliases.read(node, inner)
        effects.changes = {each for path in effects.changes for each in aliases.group(path)}

    def handler(self, node: ast.ExceptHandler, scope: Scope, effects: Effects) -> None:
        """Add what the head of a handler of exceptions does."""
        if node.type is not None:
            self.visit(node.type, scope, effects)
        variable = scope.variable(node.name) if node.name else None
        if variable and node.name:
            effects.refer(node, node.name, variable)
            effects.changes.add((variable, ""))

    def _inner_scope(self, definition: Definition) -> Scope:
        node, around = definition.node, definition.scope
        if isinstance(node, ast.ClassDef):
            # What a class binds is seen in its body, not in its methods.
            scope = Scope(bound_names(node.body, walrus=around.has_walrus), around, around.source)
            scope.is_class = True
            return scope
        scope = Scope(local_names(node, walrus=around.has_walrus), around, around.source)
        arguments = [*node.args.posonlyargs, *node.args.args]
        if arguments and arguments[0].arg in ("self", "cls"):
            scope.own_object = arguments[0].arg
        return scope

    def visit(
        self, node: ast.AST, scope: Scope, effects: Effects, *, dropped: bool = False
    ) -> None:
        """Add what a node does; ``dropped`` if its value is, so that it acts by changing."""
        if type(node) in _NOTHING:
            return
        if isinstance(node, ast.Name):
            self._name(node, scope, effects)
        elif isinstance(node, ast.Attribute):
            self._attribute(node, scope, effects)
        elif isinstance(node, ast.Call):
            self._calls.visit(node, scope, effects, dropped=dropped)
        elif isinstance(node, ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                effects.changes |= self._calls.roots(node.value, scope)
            self.visit(node.value, scope, effects)
            self.visit(node.slice, scope, effects)
        elif isinstance(node, _WITH_BODIES):
            self._definition(node, scope, effects)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope, effects, dropped=dropped)
        else:
            self._statement(node, scope, effects, dropped=dropped)

    def _statement(self, node: ast.AST, scope: Scope, effects: Effects, *, dropped: bool) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, scope, effects)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                effects.refer(node, name, scope.variable(name) or "")
        elif isinstance(node, ast.Expr):
            self.visit(node.value, scope, effects, dropped=True)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node, scope, effects)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)):
            bound = node.rest if isinstance(node, ast.MatchMapping) else node.name
            variable = scope.variable(bound) if bound else None
            if variable and bound:
                effects.refer(node, bound, variable)
                effects.changes.add((variable, ""))
            self._children(node, scope, effects)
        elif isinstance(node, ast.AnnAssign):
            self.visit(node.annotation, scope, effects)
            if node.value is not None:
                self.visit(node.target, scope, effects)
                self.visit(node.value, scope, effects)
        elif isinstance(node, (ast.Assign, ast.keyword, ast.BinOp, ast.Compare)):
            self._children(node, scope, effects)
        elif dropped and isinstance(node, (ast.BoolOp, ast.IfExp, ast.Await, ast.Tuple)):
            for child in ast.iter_child_nodes(node):
                self.visit(child, scope, effects, dropped=True)
        else:
            self._children(node, scope, effects)

    def _children(self, node: ast.AST, scope: Scope, effects: Effects) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope, effects)

    def _name(self, node: ast.Name, scope: Scope, effects: Effects) -> None:
        variable = scope.variable(node.id)
        if variable is None:
            return
        effects.refer(node, node.id, variable)
        if isinstance(node.ctx, ast.Store):
            effects.defines.add(variable)
            return
        effects.uses.add((variable, ""))
        if node.id in (scope.holder(node.id) or scope).dotted:
            self._read_setting(scope.dotted_name(node), effects)

    def _attribute(self, node: ast.Attribute, scope: Scope, effects: Effects) -> None:
        base = node.value
        if isinstance(base, ast.Name):
            module = scope.user_module(base.id)
            if module is not None:
                variable = module.variable(node.attr)
                if variable:
                    effects.refer(node, node.attr, variable)
                    effects.uses.add((variable, ""))
                return
            if scope.own_object_named(base.id):
                variable = scope.variable(base.id)
                effects.refer(base, base.id, variable or "")
                target = effects.uses if isinstance(node.ctx, ast.Load) else effects.changes
                target.add((variable or "", node.attr))
                effects.uses.add((variable or "", node.attr))
                return
        if not isinstance(node.ctx, ast.Load):
            effects.changes |= self._calls.roots(base, scope)
            dotted = scope.dotted_name(base)
            if dotted:  # a setting of a library
                root = dotted_root(base)
                variable = scope.variable(root.id) if root else None
                effects.changes |= {(variable, "")} if variable else set()
        elif node.attr in _CHANGING_METHODS:
            effects.changes |= self._calls.roots(base, scope)
        self._read_setting(scope.dotted_name(node), effects)
        self.visit(base, scope, effects)

    @staticmethod
    def _read_setting(dotted: str, effects: Effects) -> None:
        if dotted:
            if dotted.startswith("absl.flags.FLAGS"):
                effects.uses.add(FLAGS)
            effects.command_line |= known_calls.reads_command_line(dotted, "")
            effects.environment |= known_calls.reads_environment(dotted)

    def _augmented(self, node: ast.AugAssign, scope: Scope, effects: Effects) -> None:
        self.visit(node.value, scope, effects)
        if isinstance(node.target, ast.Name):
            variable = scope.variable(node.target.id)
            if variable:
                effects.refer(node.target, node.target.id, variable)
                effects.changes.add((variable, ""))
                effects.uses.add((variable, ""))
        else:
            self.visit(node.target, scope, effects)

    def _definition(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda,
        scope: Scope,
        effects: Effects,
    ) -> None:
        for part in outer_parts(node):
            self.visit(part, scope, effects)
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(decorator, (ast.Name, ast.Attribute)):  # it is called, too
                self._calls.visit(ast.Call(decorator, [], []), scope, effects, dropped=False)
        if not isinstance(node, ast.Lambda):
            variable = scope.variable(node.name)
            if variable:
                effects.refer(node, node.name, variable)
                effects.defines.add(variable)
        summary, inner = self.summary(Definition(node, scope))
        outside = summary.outside_of(inner.key)
        # Its body runs later, if ever; what it then reads must be as it was then.
        read = outside.uses | outside.deferred | outside.changes
        read |= {(variable, "") for variable in outside.defines}
        effects.uses |= read
        effects.deferred |= {path for path in read if not is_import(path[0])}
        effects.add_references(outside)
        effects.command_line |= outside.command_line
        effects.environment |= outside.environment

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        scope: Scope,
        effects: Effects,
        *,
        dropped: bool,
    ) -> None:
        inner = Scope(comprehension_names(node), scope, scope.source)
        own = Effects()
        first = node.generators[0]
        self.visit(first.iter, scope, own)  # the only part that runs outside
        for part in [first.target, *first.ifs, *node.generators[1:]]:
            self.visit(part, inner, own)
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for element in elements:
            self.visit(element, inner, own, dropped=dropped)
        outside = own.outside_of(inner.key)
        effects.uses |= outside.uses
        effects.defines |= outside.defines  # by `:=`
        effects.changes |= outside.changes
        effects.deferred |= outside.deferred
        effects.add_flags(outside)
        effects.add_references(outside)
        if isinstance(node, ast.GeneratorExp):
            effects.deferred |= {path for path in outside.uses if not is_import(path[0])}

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope, effects: Effects) -> None:
        if self._imports(node, scope):
            effects.removed.add(id(node))
            return
        for alias in node.names:
            if alias.name == "*":
                effects.changes.add((scope.star(), ""))
                continue
            name = imported_name(alias)
            if scope.user_module(name) is not None:
                continue
            variable = scope.variable(name)
            if variable and not is_star(variable):
                effects.refer(alias, name, variable)
                # Not for certain: the same name can be imported in parts, or by a `try`.
                effects.changes.add((variable, ""))


def dotted_root(node: ast.expr) -> ast.Name | None:
    """Return the name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node if isinstance(node, ast.Name) else None
