"""Names for what folding makes: functions, their parameters, and the variables in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.naming import Wishes, with_readable_names

# What a positional argument of a called function is: (function, place) -> name or None.
Role = Callable[[str, int], "str | None"]


@dataclass(slots=True)
class Namer:
    """Chooses names.

    Attributes:
        taken: Names that mean something else.
        wishes: What variables would like to be called.
        role: Tells what a positional argument is.
        title: What a function with these statements would be called.
    """

    taken: set[str]
    wishes: Wishes
    role: Role
    title: Callable[[Sequence[ast.stmt]], str]
    _functions: set[str] = field(default_factory=set)

    def roles(self, statements: Sequence[ast.stmt]) -> list[str]:
        """Return what each constant in some statements is, in the order of the text."""
        return [role for statement in statements for role in self._roles_in(statement)]

    def _roles_in(self, statement: ast.stmt) -> Iterator[str]:
        value = statement.value if isinstance(statement, (ast.Assign, ast.Expr)) else statement
        pending: list[tuple[ast.AST, str]] = [(value, "value")]
        while pending:
            node, role = pending.pop()
            if isinstance(node, ast.Constant):
                yield role
            elif isinstance(node, ast.Call):
                function = ast.unparse(node.func)
                parts: list[tuple[ast.AST, str]] = [(node.func, role)]
                parts += [
                    (each, self.role(function, place) or role)
                    for place, each in enumerate(node.args)
                ]
                parts += [(each.value, each.arg or role) for each in node.keywords]
                pending += reversed(parts)
            else:
                pending += [(each, role) for each in reversed(list(ast.iter_child_nodes(node)))]

    def function_name(self, statements: Sequence[ast.stmt]) -> str:
        """Return a free name for a function."""
        wish = self.title(statements)
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name

    def name_body(self, function: ast.FunctionDef, inputs: Sequence[str]) -> None:
        """Give the variables of a function readable names; `inputs` are its parameters."""
        others = {each.arg for each in function.args.args} - set(inputs)
        wishes = Wishes(kept=self.wishes.kept)
        if len(inputs) == 1:
            wishes.kept = {**wishes.kept, inputs[0]: "inputs"}
        # Parameters are assigned before all else.
        heads: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in inputs
        ]
        named = with_readable_names([*heads, *function.body], wishes, self.taken | others)
        for head, argument in zip(named, function.args.args, strict=False):
            if argument.arg in inputs:
                assert isinstance(head, ast.Assign)
                assert isinstance(head.targets[0], ast.Name)
                argument.arg = head.targets[0].id
        function.body = _returning(named[len(heads) :])


def _returning(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a value at once that is assigned only to be returned."""
    *others, before, last = body
    if not isinstance(before, ast.Assign) or not isinstance(last, ast.Return):
        return body
    if last.value is None or ast.unparse(before.targets[0]) != ast.unparse(last.value):
        return body
    return [*others, ast.Return(before.value)]
