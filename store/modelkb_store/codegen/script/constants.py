"""The constants at the top of a script, in one place, to be changed for a variation."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

from modelkb_store.codegen.script.inert_statements import assigned_literal
from modelkb_store.codegen.script.source_edits import source_of


class Constants:
    """Collects constants, each with a name of its own.

    Args:
        taken: Names that mean something in the recorded statements.

    Attributes:
        statements: What else a user may want to change.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._recorded: dict[str, tuple[ast.expr, str]] = {}
        self._own: dict[str, str] = {}
        self.statements: list[str] = []

    def add_recorded(self, text: str, statements: list[ast.stmt]) -> None:
        """Take constants of a recorded program, as they stand there."""
        for statement in statements:
            assigned = assigned_literal(statement)
            if assigned is not None:
                self._recorded[assigned[0]] = assigned[1], source_of(text, [statement])

    def add(self, wish: str, value: Any) -> ast.Name:
        """Add a constant, unless the recorded program has it with this value.

        Args:
            wish: Its name, unless that means something else.
            value: A number, text, truth value or list.

        Returns:
            Its name as an expression.
        """
        if wish in self._recorded and _is_same(self._recorded[wish][0], value):
            return ast.Name(wish)
        name = wish
        while name in self._taken or name in self._own:
            name = f"TRAINING_{name}"
        self._own[name] = repr(value)
        return ast.Name(name)

    def add_statement(self, text: str) -> None:
        """Add something else that a user may want to change, such as the command line."""
        self.statements.append(text)

    def text(self, used: Collection[str] | None = None) -> str:
        """Return them as statements.

        Args:
            used: The names that the script uses: other constants of the generator's are left
                out. By default none is.
        """
        own = [
            f"{name} = {value}" for name, value in self._own.items() if used is None or name in used
        ]
        recorded = [text for _, text in self._recorded.values()]
        return "\n".join([*own, *recorded, *self.statements])


def _is_same(literal: ast.expr, value: Any) -> bool:
    found = ast.literal_eval(literal)
    return type(found) is type(value) and bool(found == value)
