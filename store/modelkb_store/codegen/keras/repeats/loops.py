"""Parts of a program that follow themselves, as loops."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.repeats.functions import Replacing, constants_of
from modelkb_store.codegen.keras.repeats.lines import Definition, Flow, Line, cost_of
from modelkb_store.codegen.keras.repeats.naming import Namer
from modelkb_store.codegen.keras.repeats.varying import Variation, is_progression, vary

_LONGEST = 60  # lines of one pass
_MOST_PHASES = 16  # lines at which a first pass may begin
_LEAST_GAIN = 2
_MOST_PARAMETERS = 4

# A variable of a pass: the line in the pass, and which of its variables.
_Place = tuple[int, int]


@dataclass(slots=True)
class LoopFold:
    """A part that follows itself.

    Attributes:
        gain: How many lines shorter the program gets.
        begin: Where it begins.
        length: How many lines one pass has.
        count: How many passes there are.
        carried: What each pass takes of the one before it, with the variable that the first
            one takes.
        variation: What varies from pass to pass.
    """

    gain: int
    begin: int
    length: int
    count: int
    carried: dict[_Place, Definition]
    variation: Variation


@dataclass(slots=True)
class _Run:
    """Passes that have been found to do the same."""

    begin: int
    length: int
    count: int = 1
    carried: dict[_Place, Definition] = field(default_factory=dict)


def best_loop(lines: Sequence[Line], flow: Flow, namer: Namer) -> LoopFold | None:
    """Return the part that makes the program shortest as a loop; None if there is none."""
    best: LoopFold | None = None
    for begin, length, count in _candidates([line.shape for line in lines]):
        cost = sum(line.cost for line in lines[begin : begin + length])
        if best is not None and (count - 1) * cost <= best.gain:
            continue
        run = _verified(lines, flow, begin, length, count)
        fold = _fold(lines, run, namer) if run.count > 1 else None
        if fold is not None and (best is None or fold.gain > best.gain):
            best = fold
    return best


def _candidates(shapes: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Walk where a shape follows itself: begin, length of a pass, and how many passes."""
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(shape, len(numbers)) for shape in shapes]
    for length in range(1, min(_LONGEST, len(ids) // 2) + 1):
        begin = 0
        while begin + length < len(ids):
            end = begin
            while end + length < len(ids) and ids[end] == ids[end + length]:
                end += 1
            if end - begin >= length and not _is_repetition(ids[begin : begin + length]):
                for phase in range(min(length, _MOST_PHASES)):
                    passes = (end + length - begin - phase) // length
                    if passes > 1:
                        yield begin + phase, length, passes
            begin = max(end, begin) + 1


def _is_repetition(ids: Sequence[int]) -> bool:
    """Return whether a pass is itself a shorter one several times."""
    size = len(ids)
    return any(
        size % part == 0 and all(ids[place] == ids[place % part] for place in range(size))
        for part in range(1, size // 2 + 1)
    )


def _verified(lines: Sequence[Line], flow: Flow, begin: int, length: int, count: int) -> _Run:
    """Return as many passes, from the first, as read each other in the same way."""
    run = _Run(begin, length)
    first = [source for number in range(begin, begin + length) for source in flow.sources[number]]
    for number in range(1, count):
        carried = _carried(lines, flow, run, number, first)
        if carried is None or not _stays_inside(lines, flow, run, number - 1):
            break
        run.carried = carried
        run.count = number + 1
    return run


def _carried(
    lines: Sequence[Line],
    flow: Flow,
    run: _Run,
    number: int,
    first: Sequence[Definition],
) -> dict[_Place, Definition] | None:
    """Return what a pass takes of the one before it; None if it is no pass of the loop."""
    here = run.begin + number * run.length
    before = here - run.length
    found: dict[_Place, Definition] = {}
    reads = [
        (reader, source) for reader in range(run.length) for source in flow.sources[here + reader]
    ]
    for (reader, (line, name)), original in zip(reads, first, strict=True):
        if line >= here:
            if original[0] - run.begin != line - here:
                return None
        elif line >= before:
            place = line - before, lines[line].writes.index(name)
            # It must still hold the last pass's value when it is read.
            if original[0] >= run.begin or reader > place[0]:
                return None
            if found.setdefault(place, original) != original:
                return None
        elif (line, name) != original or line >= run.begin:
            return None
    # Two that begin with the same value could not be told from each other.
    if len(set(found.values())) < len(found) or (number > 1 and found != run.carried):
        return None
    return found


def _stays_inside(lines: Sequence[Line], flow: Flow, run: _Run, number: int) -> bool:
    """Return whether nothing of a pass is used behind the next one."""
    here = run.begin + number * run.length
    end = here + 2 * run.length
    return all(
        user < end
        for line in range(here, here + run.length)
        for name in lines[line].writes
        for user in flow.users.get((line, name), ())
    )


def _fold(lines: Sequence[Line], run: _Run, namer: Namer) -> LoopFold | None:
    if any(line.is_loop for line in lines[run.begin : run.begin + run.length]):
        return None
    begins = [run.begin + number * run.length for number in range(run.count)]
    part = lines[run.begin : run.begin + run.length]
    rows = [[c.value for line in lines[b : b + run.length] for c in line.constants] for b in begins]
    roles = namer.roles([line.statement for line in part])
    variation = vary(rows, roles, namer.taken, counts=True)
    if len(variation.parameters) > _MOST_PARAMETERS:
        return None
    fold = LoopFold(0, run.begin, run.length, run.count, run.carried, variation)
    head = cost_of(_loop(variation, run.count, [ast.Pass()])) - 1
    before = sum(line.cost for line in lines[run.begin : run.begin + run.length * run.count])
    fold.gain = before - head - sum(line.cost for line in part)
    return fold if fold.gain >= _LEAST_GAIN + (run.count == 2) * run.length else None


def loop_of(
    fold: LoopFold, lines: Sequence[Line], flow: Flow
) -> tuple[list[ast.stmt], dict[str, str]]:
    """Write a part as a loop, after the assignments that it needs before it.

    Returns:
        The statements, and how variables of the last pass are called behind the loop.
    """
    end = fold.begin + fold.length * fold.count
    part = lines[fold.begin : fold.begin + fold.length]
    before: list[ast.stmt] = []
    names: dict[str, str] = {}  # of the first pass's variables
    reads: dict[str, str] = {}  # of what the first pass takes from outside
    for (line, which), source in fold.carried.items():
        own = part[line].writes[which]
        if _is_free(flow, source, fold, reads):
            names[own] = reads[source[1]] = source[1]
        else:
            before.append(ast.Assign([ast.Name(own, ast.Store())], ast.Name(source[1])))
            names[own] = own
    body = []
    expressions = iter(fold.variation.expressions)
    carried = {source: part[line].writes[which] for (line, which), source in fold.carried.items()}
    for line, sources in zip(part, flow.sources[fold.begin :], strict=False):
        renamed = dict(names)
        for source in sources:
            if source in carried:
                renamed[source[1]] = names.get(carried[source], carried[source])
        body.append(_statement(line, expressions, renamed))
    last = lines[end - fold.length : end]
    renamed = {
        new: names.get(old, old)
        for now, then in zip(last, part, strict=True)
        for new, old in zip(now.writes, then.writes, strict=True)
    }
    return [*before, _loop(fold.variation, fold.count, body)], renamed


def _is_free(flow: Flow, source: Definition, fold: LoopFold, reads: Mapping[str, str]) -> bool:
    """Return whether a variable from before a loop can hold what the loop carries."""
    if source[0] < 0 or source[1] in reads:
        return False
    carried = [each for each in fold.carried.values() if each == source]
    users = [user for user in flow.users[source] if user >= fold.begin]
    inside = all(user < fold.begin + fold.length for user in users)
    return inside and len(carried) == 1


def _statement(line: Line, expressions: Iterator[object], renamed: dict[str, str]) -> ast.stmt:
    """Return a line of the first pass with what varies in the place of its constants."""
    statement = copy.deepcopy(line.statement)
    replaced = {}
    for twin in constants_of(statement):
        write = next(expressions)
        if callable(write):
            replaced[id(twin)] = write()
    changed = Replacing(replaced, renamed).visit(statement)
    assert isinstance(changed, ast.stmt)
    return changed


def _loop(variation: Variation, count: int, body: list[ast.stmt]) -> ast.For:
    parameters = variation.parameters
    if not parameters:
        return _for("_", ast.Call(ast.Name("range"), [ast.Constant(count)], []), body)
    values = parameters[0].values
    is_counted = all(type(value) is int for value in values) and is_progression(values)
    if len(parameters) == 1 and is_counted and len(values) > 2:
        step = values[1] - values[0]
        bounds = [values[0], values[-1] + step, step]
        if step == 1:
            bounds.pop()
            if values[0] == 0:
                bounds.pop(0)
        arguments: list[ast.expr] = [ast.Constant(bound) for bound in bounds]
        return _for(parameters[0].name, ast.Call(ast.Name("range"), arguments, []), body)
    rows = list(zip(*(each.values for each in parameters), strict=True))
    items: list[ast.expr] = [
        ast.Constant(row[0]) if len(row) == 1 else ast.Tuple([ast.Constant(v) for v in row])
        for row in rows
    ]
    return _for(", ".join(each.name for each in parameters), ast.List(items), body)


def _for(names: str, values: ast.expr, body: list[ast.stmt]) -> ast.For:
    loop = ast.parse(f"for {names} in (): pass").body[0]
    assert isinstance(loop, ast.For)
    loop.iter, loop.body = values, body
    return loop
