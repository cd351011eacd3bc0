"""Parts of a program that stand in several places, as functions."""

from __future__ import annotations

import ast
import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelkb_store.codegen.keras.repeats.lines import Definition, Flow, Line, cost_of
from modelkb_store.codegen.keras.repeats.naming import Namer
from modelkb_store.codegen.keras.repeats.varying import Parameter, Variation, vary

_LONGEST = 200  # lines of one function
_SHORTEST = 3
_MOST_PARAMETERS = 8
_MOST_RESULTS = 4
_LEAST_GAIN = 4  # lines
_LOOKED_AT = 40  # of the most promising candidates
_AROUND = 4  # lines: `def`, `return`, and two empty ones
_MODULUS = (1 << 61) - 1
_BASE = 1_000_003


@dataclass(slots=True)
class FunctionFold:
    """A part that repeats, and where.

    Attributes:
        gain: How many lines shorter the program gets.
        places: Where the part begins.
        length: How many lines it has.
        inputs: For each place the variables that it takes.
        results: Which of its variables are used behind it: line in the part, and name there.
        variation: Its further parameters.
    """

    gain: int
    places: list[int]
    length: int
    inputs: list[list[str]]
    results: list[tuple[int, int]]
    variation: Variation


def best_function(lines: Sequence[Line], flow: Flow, namer: Namer) -> FunctionFold | None:
    """Return the part that makes the program shortest as a function; None if there is none."""
    best: FunctionFold | None = None
    for promise, length, places in _candidates(lines):
        if best is not None and promise <= best.gain:
            break
        found = _verified(lines, flow, places, length, namer)
        if found is not None and (best is None or found.gain > best.gain):
            best = found
    return best


def function_of(
    fold: FunctionFold, lines: Sequence[Line], name: str, namer: Namer
) -> tuple[ast.FunctionDef, list[ast.stmt]]:
    """Write a part as a function, and the call for each of its places."""
    first = fold.places[0]
    part = lines[first : first + fold.length]
    renamed = {old: f"{old}_input" for old in fold.inputs[0]}
    body = _body(part, fold.variation, renamed)
    results = [part[line].writes[which] for line, which in fold.results]
    parameters = [*renamed.values(), *(each.name for each in fold.variation.parameters)]
    function = ast.parse("def name(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.name = name
    function.args.args = [ast.arg(each) for each in parameters]
    function.body = [*body, *([ast.Return(_tuple(results, ast.Load()))] if results else [])]
    namer.name_body(function, list(renamed.values()))
    calls = [_call(fold, lines, place, number, name) for number, place in enumerate(fold.places)]
    return function, calls


def _candidates(lines: Sequence[Line]) -> list[tuple[int, int, list[int]]]:
    """Return parts with equal shapes, the most promising first: gain, length and places."""
    count = len(lines)
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(line.shape, len(numbers) + 1) for line in lines]
    hashes, costs, loops = [0], [0], [0]
    for line, number in zip(lines, ids, strict=True):
        hashes.append((hashes[-1] * _BASE + number) % _MODULUS)
        costs.append(costs[-1] + line.cost)
        loops.append(loops[-1] + line.is_loop)
    found: list[tuple[int, int, list[int]]] = []
    power = pow(_BASE, _SHORTEST - 1, _MODULUS)
    for length in range(_SHORTEST, min(_LONGEST, count // 2) + 1):
        power = power * _BASE % _MODULUS
        places: dict[int, list[int]] = defaultdict(list)
        for begin in range(count - length + 1):
            end = begin + length
            if loops[end] == loops[begin]:
                value = (hashes[end] - hashes[begin] * power) % _MODULUS
                if not places[value] or places[value][-1] + length <= begin:
                    places[value].append(begin)
        repeated = [each for each in places.values() if len(each) > 1]
        if not repeated:
            break
        for each in repeated:
            cost = costs[each[0] + length] - costs[each[0]]
            gain = (len(each) - 1) * cost - len(each) - _AROUND
            if gain >= _LEAST_GAIN:
                found.append((gain, length, each))
    found.sort(key=lambda candidate: (-candidate[0], candidate[1], candidate[2][0]))
    return found[:_LOOKED_AT]


def _verified(
    lines: Sequence[Line], flow: Flow, places: Sequence[int], length: int, namer: Namer
) -> FunctionFold | None:
    """Return the largest group of places at which the same is done, if it pays."""
    groups: dict[object, list[tuple[int, list[str]]]] = defaultdict(list)
    for place in places:
        pattern, inputs = _pattern(lines, flow, place, length)
        results = _results(lines, flow, place, length)
        groups[pattern, results].append((place, inputs))
    best: FunctionFold | None = None
    for (_, results), group in groups.items():  # type: ignore[misc]
        if len(group) > 1 and len(results) <= _MOST_RESULTS:
            fold = _fold(lines, group, list(results), length, namer)
            if fold is not None and (best is None or fold.gain > best.gain):
                best = fold
    return best


def _pattern(
    lines: Sequence[Line], flow: Flow, place: int, length: int
) -> tuple[tuple[object, ...], list[str]]:
    """Return how the lines of a part read each other, and which variables come from outside."""
    inputs: dict[Definition, int] = {}
    pattern: list[object] = []
    for number in range(place, place + length):
        for line, name in flow.sources[number]:
            if line >= place:
                pattern.append((line - place, lines[line].writes.index(name)))
            else:
                pattern.append(inputs.setdefault((line, name), len(inputs)))
    return tuple(pattern), [name for _, name in inputs]


def _results(
    lines: Sequence[Line], flow: Flow, place: int, length: int
) -> tuple[tuple[int, int], ...]:
    """Return which variables of a part are read behind it."""
    end = place + length
    return tuple(
        (number - place, which)
        for number in range(place, end)
        for which, name in enumerate(lines[number].writes)
        if any(user >= end for user in flow.users.get((number, name), ()))
    )


def _fold(
    lines: Sequence[Line],
    group: list[tuple[int, list[str]]],
    results: list[tuple[int, int]],
    length: int,
    namer: Namer,
) -> FunctionFold | None:
    places = [place for place, _ in group]
    rows = [[c.value for line in lines[p : p + length] for c in line.constants] for p in places]
    part = lines[places[0] : places[0] + length]
    variation = vary(rows, namer.roles([line.statement for line in part]), namer.taken)
    inputs = [names for _, names in group]
    if len(variation.parameters) + len(inputs[0]) > _MOST_PARAMETERS:
        return None
    fold = FunctionFold(0, places, length, inputs, results, variation)
    calls = sum(
        cost_of(_call(fold, lines, place, number, "residual_block"))
        for number, place in enumerate(places)
    )
    body = sum(line.cost for line in part)
    before = sum(line.cost for place in places for line in lines[place : place + length])
    fold.gain = before - calls - body - _AROUND
    return fold if fold.gain >= _LEAST_GAIN else None


def _body(part: Sequence[Line], variation: Variation, renamed: dict[str, str]) -> list[ast.stmt]:
    """Return a part's statements with its parameters in the place of what varies."""
    expressions = iter(variation.expressions)
    body = []
    for line in part:
        statement = copy.deepcopy(line.statement)
        replaced = {}
        for constant, twin in zip(
            constants_of(line.statement), constants_of(statement), strict=True
        ):
            assert constant in line.constants
            write = next(expressions)
            if write is not None:
                replaced[id(twin)] = write()
        body.append(Replacing(replaced, renamed).visit(statement))
    return body


def constants_of(statement: ast.stmt) -> Iterator[ast.Constant]:
    """Walk constants in the order in which shapes are made."""
    value = statement.value if isinstance(statement, (ast.Assign, ast.Expr)) else statement
    pending: list[ast.AST] = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Constant):
            yield node
        pending += reversed(list(ast.iter_child_nodes(node)))


class Replacing(ast.NodeTransformer):
    """Puts expressions in the place of constants, and renames variables."""

    def __init__(self, replaced: dict[int, ast.expr], renamed: dict[str, str]) -> None:
        self._replaced = replaced
        self._renamed = renamed

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Put in what takes a constant's place."""
        return self._replaced.get(id(node), node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Rename a variable."""
        node.id = self._renamed.get(node.id, node.id)
        return node


def _call(
    fold: FunctionFold, lines: Sequence[Line], place: int, number: int, name: str
) -> ast.stmt:
    keywords = [_keyword(each, number) for each in fold.variation.parameters]
    call = ast.Call(ast.Name(name), [ast.Name(each) for each in fold.inputs[number]], keywords)
    results = [lines[place + line].writes[which] for line, which in fold.results]
    if not results:
        return ast.Expr(call)
    return ast.Assign([_tuple(results, ast.Store())], call)


def _keyword(parameter: Parameter, number: int) -> ast.keyword:
    return ast.keyword(parameter.name, ast.Constant(parameter.values[number]))


def _tuple(names: Sequence[str], context: ast.expr_context) -> ast.expr:
    parts: list[ast.expr] = [ast.Name(name, context) for name in names]
    return parts[0] if len(parts) == 1 else ast.Tuple(parts, context)
