"""Reading a program in the order in which it runs, with values known only in part."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from modelkb_callbacks.scanning.findings import Findings, Rates
from modelkb_callbacks.scanning.origins import LayerSite
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.values import Class, Function, Opaque, Value

# Levels of nested expressions, statements and calls; each takes a few of Python's frames.
_DEEPEST = 110
_DEEPEST_CALLS = 14
# Past so many steps calls are no longer followed into functions: a source of n functions that
# call each other twice would take 2**n steps.
_MOST_STEPS = 60_000
_MOST_CALLS_OF_ONE = 24


@dataclass(slots=True, eq=False)
class Frame:
    """One call that is being followed.

    Attributes:
        function: The function.
        returns: What it returned so far.
        is_generator: Whether a ``yield`` was met.
        shadow: How many untaken branches were around the call.
    """

    function: Function | None
    shadow: int = 0
    returns: list[Value] = field(default_factory=list)
    is_generator: bool = False


class Machine:
    """What following a program needs to know: how deep, how far, and what was found.

    Attributes:
        findings: What was found.
        frames: The calls being followed, the innermost one last.
        classes: The model or layer classes whose methods are being followed.
        weak: How many conditions and loops are around; what is older than the innermost one
            may or may not be changed there.
        shadow: In branches that are not taken: found is what they contain, nothing changes.
        dry: In a first look at a loop: nothing is noted.
        rates: What optimizers are set to at this point of the program.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.frames: list[Frame] = [Frame(None)]
        self.classes: list[Class] = []
        self.weak = 0
        self.shadow = 0
        self.dry = 0
        self.rates: Rates = {}
        self.depth = 0
        self.steps = 0
        self.entered: dict[ast.AST, int] = {}
        self.last_result: dict[ast.AST, Value] = {}

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """Return what is known of an expression's value."""
        from modelkb_callbacks.scanning.expressions import HANDLERS, other_expression

        if self.depth > _DEEPEST:
            return Opaque("nested too deeply to be followed")
        self.depth += 1
        self.steps += 1
        try:
            return HANDLERS.get(type(node), other_expression)(self, node, scope)
        finally:
            self.depth -= 1

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Follow statements.

        Returns:
            Whether what comes after them is reached.
        """
        from modelkb_callbacks.scanning.statements import HANDLERS

        if self.depth > _DEEPEST:
            return True
        self.depth += 1
        try:
            for index, statement in enumerate(body):
                self.steps += 1
                handler = HANDLERS.get(type(statement))
                if handler is not None and not handler(self, statement, scope):
                    self._run_unreached(body[index + 1 :], scope)
                    return False
            return True
        finally:
            self.depth -= 1

    def _run_unreached(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        if body:
            with self.shadowed(scope):
                self.run(body, scope)

    @contextmanager
    def shadowed(self, scope: Scope) -> Iterator[None]:
        """Follow what is not run: calls are found, but nothing changes."""
        before, rates = dict(scope.names), self.rates
        self.shadow += 1
        self.weak += 1
        try:
            yield
        finally:
            self.shadow -= 1
            self.weak -= 1
            scope.names, self.rates = before, rates

    def may_enter(self, function: Function) -> bool:
        """Return whether a call of a function is followed."""
        node = function.node
        return (
            len(self.frames) <= _DEEPEST_CALLS
            and self.depth < _DEEPEST - 10
            and self.steps < _MOST_STEPS
            and self.entered.get(node, 0) < _MOST_CALLS_OF_ONE
            and all(
                frame.function is None or frame.function.node is not node for frame in self.frames
            )
        )

    @property
    def is_tired(self) -> bool:
        """Whether so much was followed that only what is new still is."""
        return self.steps >= _MOST_STEPS

    @property
    def birth(self) -> tuple[int, int]:
        """How deep in conditions, and in branches not taken, something made now is."""
        return self.weak, self.shadow

    def changes(self, birth: tuple[int, int]) -> bool:
        """Return whether a change of an object certainly happens."""
        return self.weak <= birth[0]

    def hides(self, birth: tuple[int, int]) -> bool:
        """Return whether a change does not happen: the branch is not taken."""
        return self.shadow > birth[1]

    def note_layer(self, site: LayerSite) -> None:
        """Note that a layer is made, for the model class whose code does it."""
        if self.classes and not self.dry:
            self.findings.class_sites.setdefault(self.classes[-1].node, {})[site] = None

    def in_layer_class(self) -> bool:
        """Return whether the code of a user's layer is being followed."""
        return any(cls.kind == "layer" for cls in self.classes)
