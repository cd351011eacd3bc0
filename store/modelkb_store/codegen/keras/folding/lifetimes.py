"""Which values of a function can be in one variable.

Time goes through the text of a function: everything reads at an even time and assigns at the
odd one after it. What a loop takes from outside is needed until the loop's end.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.graph import Loop, Region, Value
from modelkb_store.codegen.keras.folding.naming import FLOWING, numbered
from modelkb_store.codegen.keras.naming import Wishes

Span = tuple[int, int]


@dataclass(slots=True)
class Lifetimes:
    """From when to when values are needed, and which of them share a variable.

    Attributes:
        order: All values, as they are assigned.
        preferred: Values that are carried to the next pass of a loop.
    """

    order: list[Value] = field(default_factory=list)
    preferred: set[Value] = field(default_factory=set)
    _first: dict[Value, int] = field(default_factory=dict)
    _last: dict[Value, int] = field(default_factory=dict)
    _same: dict[Value, Value] = field(default_factory=dict)
    _members: dict[Value, list[Value]] = field(default_factory=dict)
    _spans: dict[Value, list[Span]] = field(default_factory=dict)
    _aliases: dict[Value, Value] = field(default_factory=dict)
    _time: int = 0
    _musts: list[tuple[Value, Value]] = field(default_factory=list)
    _yields: list[tuple[Value, Value]] = field(default_factory=list)
    _starts: list[tuple[Value, Value]] = field(default_factory=list)

    @classmethod
    def of(cls, region: Region) -> Lifetimes:
        """Look at the body of a function."""
        lifetimes = cls()
        for argument in region.arguments:
            lifetimes._assign(argument)
        lifetimes._walk(region)
        lifetimes._time += 2
        for result in region.results:
            lifetimes._read(result)
        lifetimes._merge()
        return lifetimes

    def resolved(self, value: Value) -> Value:
        """Return the value that an argument of a loop's body always is."""
        return self._aliases.get(value, value)

    def variable(self, value: Value) -> Value:
        """Return the value that stands for all in the same variable."""
        return self._find(self.resolved(value))

    def members(self, variable: Value) -> list[Value]:
        """Return all values in a variable."""
        return self._members[variable]

    def overlap(self, variable: Value, other: Value) -> bool:
        """Return whether two variables are needed at the same time."""
        pairs = ((one, two) for one in self._spans[variable] for two in self._spans[other])
        return any(one[0] <= two[1] and two[0] <= one[1] for one, two in pairs)

    def _walk(self, region: Region) -> None:
        for operation in region.operations:
            self._time += 2
            for operand in operation.operands:
                self._read(operand)
            if isinstance(operation, Loop):
                self._walk_loop(operation)
            for result in operation.results:
                self._assign(result)

    def _walk_loop(self, loop: Loop) -> None:
        arguments = list(zip(loop.body.arguments, loop.operands, strict=True))
        for argument, operand in arguments[: loop.carried]:
            self._assign(argument)
            self._starts.append((argument, operand))
        for argument, operand in arguments[loop.carried :]:
            self._aliases[argument] = self.resolved(operand)
        self._walk(loop.body)
        self._time += 2
        for _, operand in arguments[loop.carried :]:
            self._read(operand)
        for place, (result, inner) in enumerate(zip(loop.results, loop.body.results, strict=True)):
            self._read(inner)
            if place < loop.carried:
                self._musts.append((loop.body.arguments[place], result))
                self._yields.append((result, inner))
                self.preferred.add(inner)
            else:
                self._musts.append((inner, result))

    def _read(self, value: Value) -> None:
        self._last[self.resolved(value)] = self._time

    def _assign(self, value: Value) -> None:
        self.order.append(value)
        self._first[value] = self._time + 1

    def _merge(self) -> None:
        for value in self.order:
            first = self._first[value]
            self._same[value] = value
            self._members[value] = [value]
            self._spans[value] = [(first, max(first, self._last.get(value, first)))]
        for one, other in self._musts:
            self._join(one, other)
        for one, other in [*self._yields, *self._starts]:
            first, second = self.variable(one), self.variable(other)
            if first != second and not self.overlap(first, second):
                self._join(first, second)

    def _join(self, one: Value, other: Value) -> None:
        first, second = self._find(one), self._find(other)
        if first != second:
            self._same[second] = first
            self._members[first] += self._members.pop(second)
            self._spans[first] += self._spans.pop(second)

    def _find(self, value: Value) -> Value:
        while self._same[value] != value:
            self._same[value] = self._same[self._same[value]]
            value = self._same[value]
        return value

    def is_kept(self, variable: Value) -> bool:
        """Return whether a variable is needed after the next statement."""
        return any(last > first + 1 for first, last in self._spans[variable])


def letters() -> Iterator[str]:
    """Walk the names of what flows through a function."""
    yield from ("x", "y", "z")
    number = 1
    while True:
        number += 1
        yield f"x_{number}"


def flowing_names(
    region: Region,
    lifetimes: Lifetimes,
    taken: set[str],
    caller: dict[Value, str],
    wishes: Wishes,
) -> dict[Value, str]:
    """Name the variables of a function as people do: what goes on in a line is `x`."""
    names: dict[Value, str] = {}
    users: dict[str, list[Value]] = defaultdict(list)
    origins = _origins(region)
    general = general_wishes(wishes)
    for value in lifetimes.order:
        variable = lifetimes.variable(value)
        if variable in names:
            continue
        wish = wishes.kept.get(caller.get(value, ""))
        if wish in general and value not in region.arguments and lifetimes.is_kept(variable):
            candidates = numbered(wish or "")
        else:
            before = [names.get(lifetimes.variable(each)) for each in origins.get(value, ())]
            flowing = [name for name in before if name is not None and FLOWING.fullmatch(name)]
            candidates = itertools.chain(flowing, letters())
        for name in candidates:
            if name in taken:
                continue
            if not any(lifetimes.overlap(variable, other) for other in users[name]):
                break
        names[variable] = name
        users[name].append(variable)
    return names


def general_wishes(wishes: Wishes) -> set[str]:
    """Return what several variables would like to be called: it says what they are for."""
    counted = Counter(wishes.kept.values())
    return {wish for wish, count in counted.items() if count > 1}


def _origins(region: Region) -> dict[Value, list[Value]]:
    """Return for each value what it is made of."""
    origins: dict[Value, list[Value]] = {}
    pending = [region]
    while pending:
        for operation in pending.pop().operations:
            for result in operation.results:
                origins[result] = operation.operands
            if isinstance(operation, Loop):
                pending.append(operation.body)
                origins.update(
                    (argument, [operand])
                    for argument, operand in zip(
                        operation.body.arguments, operation.operands, strict=True
                    )
                )
    return origins


def caller_names(
    lifetimes: Lifetimes, names: dict[Value, str], kept: set[Value], wishes: Wishes
) -> dict[Value, str]:
    """Name the variables of the program as its caller does."""
    chosen: dict[Value, str] = {}
    used: set[str] = set()
    general = general_wishes(wishes)
    for value in sorted(kept):
        chosen[lifetimes.variable(value)] = names[value]
        used.add(names[value])
    for value in lifetimes.order:
        variable = lifetimes.variable(value)
        if variable in chosen:
            continue
        members = lifetimes.members(variable)
        possible = [names[each] for each in members if each in names]
        if len(members) > 1:
            # The name of one layer would say too much.
            possible.sort(key=lambda name: wishes.kept.get(name) not in {None, *general})
            possible.sort(key=lambda name: name in wishes.always)
        wish = next(iter(possible), "value")
        name = next(each for each in numbered(wish) if each not in used)
        chosen[variable] = name
        used.add(name)
    return chosen
