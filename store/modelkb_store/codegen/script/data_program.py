"""The recorded statements that make the data, and the places in them where the training stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FIT_DATA = "fit_data"
EXPERIMENT_MODEL = "experiment_model"
_EVALUATE_DATA = re.compile(r"evaluate_data(_\d+)?")
_SEEDING = "set_random_seed"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_ARGUMENT_READERS = ("argv", "ArgumentParser", "parse_args", "argparse", "FLAGS", "click", "fire")


@dataclass(frozen=True, slots=True)
class Place:
    """A statement of the program.

    Attributes:
        statement: The statement.
        value: What it assigns.
        parents: The statements around it, outermost first.
    """

    statement: ast.stmt
    value: ast.expr
    parents: tuple[ast.stmt, ...] = ()

    @property
    def is_outermost(self) -> bool:
        """Whether it is in no block."""
        return not self.parents


@dataclass(frozen=True, slots=True)
class DataProgram:
    """The data slice of a run.

    Attributes:
        text: The slice, as it was recorded.
        tree: The same, parsed.
        fit: Where ``fit`` was called; None in a block without one.
        model: Where the name of a block's model is given.
        evaluations: Where ``evaluate`` was called.
        seedings: The statements that set the seed of everything, with those around them.
    """

    text: str
    tree: ast.Module
    fit: Place | None = None
    model: Place | None = None
    evaluations: tuple[Place, ...] = ()
    seedings: tuple[Place, ...] = ()
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def lacks_input(self) -> bool:
        """Whether the call in it that led to ``fit`` had no data: a library made them."""
        if self.fit is None or not isinstance(self.fit.value, ast.Dict):
            return False
        names = [
            key.value if isinstance(key, ast.Constant) else None for key in self.fit.value.keys
        ]
        return "x" not in names and None not in names

    @property
    def reads_command_line(self) -> bool:
        """Whether it asks for the arguments that the script was started with."""
        words = set(re.findall(r"\w+", self.text))
        return any(word in words for word in _ARGUMENT_READERS)


def parse_data_program(text: str) -> DataProgram:
    """Find the places in a data slice.

    Raises:
        SyntaxError: It is no Python of this version.
    """
    tree = ast.parse(text)
    places = list(_places(tree.body, ()))
    seeders = _seeding_functions(tree)
    named = {name: place for name, place in map(_assigned, places) if name}
    return DataProgram(
        text=text,
        tree=tree,
        fit=named.get(FIT_DATA),
        model=named.get(EXPERIMENT_MODEL),
        evaluations=tuple(p for name, p in named.items() if _EVALUATE_DATA.fullmatch(name)),
        seedings=tuple(place for place in places if _seeds(place.statement, seeders)),
    )


def is_plain_seeding(place: Place) -> bool:
    """Return whether a statement does nothing but call ``set_random_seed``."""
    statement = place.statement
    return isinstance(statement, ast.Expr) and _called_name(statement.value) == _SEEDING


def condition_of_last_pass(place: Place) -> ast.expr | None:
    """Return what holds in the pass of the loops around a place that trained; None for always.

    Such a loop ends with ``if <condition>: break``, or with ``break`` after its first pass.
    """
    tests = []
    for parent in place.parents:
        last = parent.body[-1] if isinstance(parent, _LOOPS) else None
        if isinstance(last, ast.If) and isinstance(last.body[-1], ast.Break):
            tests.append(last.test)
    if len(tests) < 2:
        return tests[0] if tests else None
    return ast.BoolOp(ast.And(), tests)


def _places(statements: list[ast.stmt], parents: tuple[ast.stmt, ...]) -> Iterator[Place]:
    """Walk the statements outside of definitions."""
    for statement in statements:
        yield Place(statement, getattr(statement, "value", None) or ast.Constant(None), parents)
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            continue
        inside = (*parents, statement)
        for block in ("body", "orelse", "finalbody"):
            yield from _places(getattr(statement, block, []), inside)
        for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
            yield from _places(part.body, inside)


def _assigned(place: Place) -> tuple[str, Place]:
    statement = place.statement
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, place
    return "", place


def _seeding_functions(tree: ast.Module) -> set[str]:
    """Return the names of the program's functions that set the seed, also by one another."""
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    found: set[str] = {_SEEDING}
    before = 0
    while len(found) != before:
        before = len(found)
        found |= {each.name for each in functions if _calls(each, found)}
    return found


def _seeds(statement: ast.stmt, seeders: set[str]) -> bool:
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return False
    if not hasattr(statement, "body"):
        return _calls(statement, seeders)
    return False  # those inside are places of their own


def _calls(node: ast.AST, names: set[str]) -> bool:
    return any(_called_name(each) in names for each in ast.walk(node))


def _called_name(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
