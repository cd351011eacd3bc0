"""The program that led to a call of ``fit``, put together from modules and functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from modelkb_callbacks.slicing.bound_names import DefinitionNode
from modelkb_callbacks.slicing.scope import Scope, Variable

Role = Literal["statement", "test", "binding", "unpacking", "flags", "fit", "evaluate"]
Kind = Literal["if", "loop", "with", "try", "match"]


@dataclass(slots=True, eq=False)
class Leaf:
    """A statement that is kept or dropped as a whole.

    Attributes:
        node: The statement; for roles other than ``statement`` the expression or call.
        scope: Where its names are looked up.
        role: ``test``: the condition of an ``if`` that was passed; ``binding``: a parameter gets
            its argument; ``unpacking``: parameters get those of a call with stars; ``flags``:
            absl reads the command line; ``fit`` and ``evaluate``: the call itself.
        targets: Variables that a binding sets.
        written: Whether the node stands in the source, or was made for the slice.
        signature: The parameters of the function called, for ``unpacking``.
        forced: Whether it is kept because something kept is around it.
        is_replaced: Whether it holds a call of ``fit`` or ``evaluate`` for whose data another
            leaf stands, so that it does not count unless its value is used.
    """

    node: ast.AST
    scope: Scope
    role: Role = "statement"
    targets: tuple[Variable, ...] = ()
    written: bool = True
    signature: ast.arguments | None = None
    signature_scope: Scope | None = None
    forced: bool = False
    is_replaced: bool = False


@dataclass(slots=True, eq=False)
class Arm:
    """One block of a compound statement.

    Attributes:
        kind: ``body``, ``else``, ``except``, ``finally`` or ``case``.
        node: The handler or case.
        nodes: What is in it.
        dead: Whether it ends by leaving the function, and so was not run before ``fit``.
    """

    kind: str
    node: ast.AST | None
    nodes: list[Node]
    dead: bool = False


@dataclass(slots=True, eq=False)
class Branch:
    """A compound statement.

    Attributes:
        around: Whether ``fit`` is inside of it.
        ends: For a loop around ``fit``: the values that its variables had in the pass.
        jumps: Its own ``break`` and ``continue``.
        model: For the block of an experiment, which is kept as it stands: its model.
    """

    kind: Kind
    node: ast.AST
    scope: Scope
    arms: list[Arm]
    around: bool = False
    ends: list[tuple[Variable, object]] = field(default_factory=list)
    jumps: list[Leaf] = field(default_factory=list)
    model: ast.expr | None = None


Node = Leaf | Branch


@dataclass(slots=True)
class Definition:
    """A function, lambda or class of the program, and the scope around it."""

    node: DefinitionNode | ast.Lambda
    scope: Scope


@dataclass(slots=True)
class Program:
    """All that ran, or can be called, before a call of ``fit``.

    Attributes:
        modules: The statements of each module that was imported whole, in order of importing.
        main: Statements from the script's first to the call of ``fit``.
        definitions: What each variable is defined as.
        methods: The methods of the user's classes, by name.
        assignments: The expressions that each variable is assigned, with their scopes.
        problems: What could not be followed.
    """

    modules: list[list[Node]] = field(default_factory=list)
    main: list[Node] = field(default_factory=list)
    scopes: dict[int, Scope] = field(default_factory=dict)
    definitions: dict[Variable, list[Definition]] = field(default_factory=dict)
    methods: dict[str, list[Definition]] = field(default_factory=dict)
    assignments: dict[Variable, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def nodes(self) -> Iterator[Node]:
        """Walk the top level, module by module."""
        for module in self.modules:
            yield from module
        yield from self.main

    def add_problem(self, text: str) -> None:
        """Note what could not be followed, once."""
        if text not in self.problems:
            self.problems.append(text)


def leaves(nodes: list[Node]) -> Iterator[Leaf]:
    """Walk all statements, also those inside of compound ones."""
    for node in nodes:
        if isinstance(node, Leaf):
            yield node
        else:
            for arm in node.arms:
                yield from leaves(arm.nodes)


def branches(nodes: list[Node]) -> Iterator[Branch]:
    """Walk all compound statements, also nested ones."""
    for node in nodes:
        if isinstance(node, Branch):
            yield node
            for arm in node.arms:
                yield from branches(arm.nodes)
