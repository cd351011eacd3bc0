"""Names of functions, of their parameters and of variables of loops."""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from modelkb_store.codegen.keras.folding.attributes import Literal, Parameter
from modelkb_store.codegen.keras.folding.graph import (
    Call,
    Function,
    Loop,
    Program,
    Region,
    Role,
    Statement,
)

# Names a function by its statements.
Title = Callable[[Sequence[ast.stmt]], str]

FLOWING = re.compile(r"[xyz]|x_\d+")


def parameter_names(
    region: Region, parameters: list[Parameter], roles: list[Role], taken: Collection[str]
) -> dict[Parameter, str]:
    """Name the parameters of a function and the variables of the loops in it."""
    names: dict[Parameter, str] = {}
    _name_all(list(zip(parameters, roles, strict=True)), names, taken)
    pending = [(region, set(names.values()))]
    while pending:
        inner, visible = pending.pop()
        for operation in inner.operations:
            if isinstance(operation, Loop):
                own: dict[Parameter, str] = {}
                if operation.index is not None:
                    index = next(
                        name for name in _indices() if name not in visible and name not in taken
                    )
                    own[operation.index] = index
                roles = operation.roles
                unavailable = {*taken, *visible, *own.values()}
                _name_all(list(zip(operation.columns, roles, strict=True)), own, unavailable)
                names |= own
                pending.append((operation.body, visible | set(own.values())))
    return names


def _indices() -> Iterator[str]:
    yield from "ijklmn"
    yield from (f"i_{number}" for number in itertools.count(2))


def _name_all(
    wanted: list[tuple[Parameter, Role]], names: dict[Parameter, str], taken: Collection[str]
) -> None:
    unnamed = sum(1 for _, role in wanted if _word(role) is None)
    used = {*taken, *names.values()}
    for parameter, role in wanted:
        word = _word(role) or ("value" if unnamed == 1 else "value_1")
        name = next(each for each in numbered(word) if each not in used)
        used.add(name)
        names[parameter] = name


def _word(role: Role) -> str | None:
    """Return a role as a name, if it can be one."""
    if role is None or not role.isidentifier() or not role.isascii() or role.startswith("__"):
        return None
    if keyword.iskeyword(role) or hasattr(builtins, role) or FLOWING.fullmatch(role):
        return f"{role}_"
    return role


def numbered(word: str) -> Iterator[str]:
    """Walk a name, the same with a 2, with a 3 .."""
    yield word
    base, _, number = word.rpartition("_")
    begin = 2
    if base and number.isdigit():
        word, begin = base, int(number) + 1
    yield from (f"{word}_{each}" for each in itertools.count(begin))


def name_functions(program: Program, taken: Collection[str], title: Title | None) -> None:
    """Name the functions by what the names of their calls have in common, or what they call."""
    calls: dict[int, list[Call]] = {}
    for region in program.regions():
        for operation in region.operations:
            if isinstance(operation, Call):
                calls.setdefault(operation.function.number, []).append(operation)
    used = set(taken)
    for function in program.functions:
        wish = _wish(function, calls.get(function.number, []), title)
        function.name = next(each for each in numbered(wish) if each not in used)
        used.add(function.name)


def _wish(function: Function, calls: list[Call], title: Title | None) -> str:
    if any(isinstance(each, Loop) for each in function.body.operations):
        return "stack"
    if title is not None:
        return title([ast.Expr(each) for each in _expressions(function)])
    shared = _shared_word(function, calls)
    if shared is not None:
        return shared if "block" in shared else f"{shared}_block"
    first = _callee(function)
    return f"{first}_block" if first else "block"


def _shared_word(function: Function, calls: list[Call]) -> str | None:
    """Return the last word that is in the names of all calls."""
    if "name" not in function.roles:
        return None
    place = function.roles.index("name")
    found: list[list[str]] = []
    for call in calls:
        value = call.attributes[place]
        pieces = getattr(value, "pieces", ())
        text = (
            value.value
            if isinstance(value, Literal)
            else "_".join(piece for piece in pieces if isinstance(piece, str))
        )
        found.append(re.findall("[a-z]{3,}", str(text).lower()))
    shared = [word for word in found[0] if all(word in each for each in found)] if found else []
    return shared[-1] if shared and _word(shared[-1]) == shared[-1] else None


def _callee(function: Function) -> str | None:
    for expression in _expressions(function):
        for node in ast.walk(expression):
            if isinstance(node, ast.Attribute):
                word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", node.attr).lower()
                return word if _word(word) == word else None
    return None


def _expressions(function: Function) -> Iterator[ast.expr]:
    """Walk the statements of a function, and of those that it calls."""
    pending = [*reversed(function.body.operations)]
    while pending:
        operation = pending.pop()
        if isinstance(operation, Statement):
            yield operation.template.expression
        elif isinstance(operation, Call):
            pending += reversed(operation.function.body.operations)
        elif isinstance(operation, Loop):
            pending += reversed(operation.body.operations)
