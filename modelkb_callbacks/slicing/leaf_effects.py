"""What the nodes of a program do, each by its role."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from modelkb_callbacks.slicing.aliases import Aliases
from modelkb_callbacks.slicing.effect_collector import EffectCollector
from modelkb_callbacks.slicing.effects import FLAGS, Effects
from modelkb_callbacks.slicing.fit_arguments import (
    evaluate_arguments,
    named_arguments,
    starred_arguments,
)
from modelkb_callbacks.slicing.program import Branch, Leaf

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class EffectTable(Mapping[Leaf | Branch, Effects]):
    """What the nodes of a program do; looked into when it is first asked for."""

    def __init__(self, collector: EffectCollector, aliases: Aliases) -> None:
        self._collector = collector
        self._aliases = aliases
        self._known: dict[Leaf | Branch, Effects] = {}

    def __getitem__(self, node: Leaf | Branch) -> Effects:
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = effects_of(node, self._collector, self._aliases)
        return known

    def __iter__(self) -> Iterator[Leaf | Branch]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, node: Leaf | Branch, effects: Effects) -> None:
        """Note what a node does that was made afterwards."""
        self._known[node] = effects

    def outside(self, node: Leaf | Branch) -> Effects:
        """Return what a node does as it runs.

        Of a definition that is only its name: a body that nobody needs is not looked into.
        """
        if node not in self._known and isinstance(node, Leaf):
            syntax = node.node
            if isinstance(syntax, _DEFINITIONS) and not syntax.decorator_list:
                return Effects(defines={node.scope.variable(syntax.name) or ""})
        return self[node]


def effects_of(node: Leaf | Branch, collector: EffectCollector, aliases: Aliases) -> Effects:
    """Return what a statement, or the head of a compound one, does."""
    if isinstance(node, Branch):
        aliases.read(node.node, node.scope)
        effects = collector.of(_head(node.node), node.scope)
        for handler in getattr(node.node, "handlers", ()):  # their blocks are nodes of their own
            collector.handler(handler, node.scope, effects)
        return effects
    if node.role in ("statement", "test"):
        aliases.read(node.node, node.scope)
        return collector.of([node.node], node.scope)
    if node.role in ("fit", "evaluate"):
        return collector.of(_data(node), node.scope)
    effects = _of_arguments(node, collector, aliases)
    effects.defines.update(node.targets)
    return effects


def _data(leaf: Leaf) -> list[ast.expr]:
    call = leaf.node
    if not isinstance(call, ast.Call):
        return []
    named = evaluate_arguments(call) if leaf.role == "evaluate" else named_arguments(call)
    stars, options = starred_arguments(call)
    return [*named.values(), *stars, *options]


def _of_arguments(leaf: Leaf, collector: EffectCollector, aliases: Aliases) -> Effects:
    if leaf.role == "flags":
        return Effects(changes={FLAGS}, uses={FLAGS}, command_line=True)
    if leaf.role == "binding":
        effects = collector.of([leaf.node], leaf.scope)
        if isinstance(leaf.node, ast.expr):
            aliases.join_value([(each, "") for each in leaf.targets], leaf.node, leaf.scope)
        return effects
    call = leaf.node
    if not isinstance(call, ast.Call) or leaf.signature is None:
        return Effects()
    values = [*call.args, *call.keywords]
    effects = collector.of(values, leaf.scope)
    signature = leaf.signature
    defaults = [*signature.defaults, *(each for each in signature.kw_defaults if each)]
    others = collector.of(defaults, leaf.signature_scope or leaf.scope)
    effects.uses |= others.uses
    effects.add_references(others)
    for each in values:
        value = each.value if isinstance(each, ast.keyword) else each
        if isinstance(value, ast.expr):
            aliases.join_value([(target, "") for target in leaf.targets], value, leaf.scope)
    return effects


def _head(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, (ast.If, ast.While)):
        return [node.test]
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return [node.iter, node.target]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return list(node.items)
    if isinstance(node, ast.Match):
        guards = [each.guard for each in node.cases if each.guard]
        return [node.subject, *(each.pattern for each in node.cases), *guards]
    return []
