"""Finds what is repeated at several places, and makes functions of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from modelkb_store.codegen.keras.folding.function_plans import (
    FunctionPlan,
    Window,
    apply_plan,
    plan_functions,
)
from modelkb_store.codegen.keras.folding.graph import Program, Region, Statement
from modelkb_store.codegen.keras.folding.loop_plans import Uses
from modelkb_store.codegen.keras.folding.repeats import Periodic, repeated
from modelkb_store.codegen.keras.folding.shapes import Shapes

_LEAST_GAIN = 3
_LEAST_LINES = 3
_MOST_TRIMMED = 8
# How many operations are looked at in a round, and how many more a function costs.
_EFFORT = 30_000
_EFFORT_OF_ONE = 50
# Others are made in the same round only if they save nearly as much as the best.
_NEARLY = 0.7


@dataclass(slots=True)
class Corpus:
    """All regions as one sequence.

    Attributes:
        regions: The regions, with what uses their values.
        tokens: The shapes of all operations, with something unique between regions.
        home: For each token its region and its place there.
        sums: The lines of all operations up to each place.
    """

    regions: list[tuple[Region, Uses]]
    tokens: list[int]
    home: list[tuple[int, int]]
    sums: list[int]

    @classmethod
    def of(cls, program: Program, shapes: Shapes) -> Corpus:
        """Put all regions of a program one after another."""
        corpus = cls([(region, Uses(region)) for region in program.regions()], [], [], [0])
        for number, (region, _) in enumerate(corpus.regions):
            for place, operation in enumerate([*region.operations, None]):
                shape = None if operation is None else shapes.of(operation)
                fixed = isinstance(operation, Statement) and operation.template.is_opaque
                unique = shape is None or fixed
                corpus.tokens.append(-1 - len(corpus.tokens) if unique or not shape else shape.key)
                corpus.home.append((number, place))
                corpus.sums.append(corpus.sums[-1] + (shape.lines if shape else 0))
        return corpus

    def windows(self, places: tuple[int, ...], length: int) -> list[Window]:
        """Return the parts that begin at places, as far as they do not overlap."""
        windows: list[Window] = []
        end = -1
        for place in places:
            if place >= end:
                number, start = self.home[place]
                region, uses = self.regions[number]
                windows.append(Window(region, uses, start, start + length))
                end = place + length
        return windows

    def width(self, place: int) -> int:
        """Return how many values go on from before a place to after it."""
        number, start = self.home[place]
        return self.regions[number][1].width[start]


def fold_functions(program: Program, shapes: Shapes) -> bool:
    """Make the functions that save most; return whether there was any."""
    corpus = Corpus.of(program, shapes)
    heap: list[tuple[float, int, tuple[int, ...], int]] = []
    for number, (most, places, length) in enumerate(_candidates(corpus)):
        heapq.heappush(heap, (-most, number, places, length))
    plans: list[FunctionPlan] = []
    least: float = _LEAST_GAIN
    effort = _EFFORT
    while heap and effort > 0 and -heap[0][0] >= least:
        _, _, places, length = heapq.heappop(heap)
        effort -= _EFFORT_OF_ONE + len(places) * length
        plan = plan_functions(program, shapes, corpus.windows(places, length), least)
        if plan is not None:
            plans.append(plan)
            least = max(least, plan.gain * _NEARLY)
    return _apply(program, shapes, plans)


def _apply(program: Program, shapes: Shapes, plans: list[FunctionPlan]) -> bool:
    plans = sorted(plans, key=lambda plan: -plan.gain)
    used: dict[int, list[tuple[int, int]]] = {}
    chosen: list[FunctionPlan] = []
    for plan in plans:
        if plan.gain < plans[0].gain * _NEARLY:
            break
        if not any(
            window.start < end and start < window.end
            for window in plan.windows
            for start, end in used.get(id(window.region), [])
        ):
            chosen.append(plan)
            for window in plan.windows:
                used.setdefault(id(window.region), []).append((window.start, window.end))
    for region in {id(w.region): w.region for plan in chosen for w in plan.windows}.values():
        apply_plan(program, region, chosen)
    program.functions += [plan.function for plan in chosen]
    shapes.forget_loops()
    return bool(chosen)


def _candidates(corpus: Corpus) -> Iterator[tuple[float, tuple[int, ...], int]]:
    """Walk what is repeated, with the lines that a function could save at most."""
    periodic = Periodic(corpus.tokens)
    seen: set[tuple[int, int, int]] = set()
    for found in repeated(corpus.tokens):
        stop = found.one + found.length
        trimmed = min(_MOST_TRIMMED, found.length // 4)
        if periodic.is_periodic(found.one + trimmed, stop - trimmed):
            continue
        all_places: list[int] = []
        for begin, end in _cuts(corpus, found.one, stop):
            key = begin, end, found.count
            lines = corpus.sums[end] - corpus.sums[begin]
            if lines < _LEAST_LINES or key in seen or periodic.is_periodic(begin, end):
                continue
            seen.add(key)
            all_places = all_places or found.places()
            places = tuple(place + begin - found.one for place in all_places)
            count = _most_windows(places, end - begin)
            most = count * (lines - 1) - lines - 4
            if count > 1 and most >= _LEAST_GAIN:
                yield most, places, end - begin


def _cuts(corpus: Corpus, first: int, stop: int) -> Iterator[tuple[int, int]]:
    """Walk the parts of a part that are worth looking at."""
    begins = _best_cuts(corpus, first, first + min(_MOST_TRIMMED, stop - first - 1))
    ends = _best_cuts(corpus, max(first + 1, stop - _MOST_TRIMMED), stop)
    yield from ((begin, end) for begin in begins for end in ends if end > begin)


def _best_cuts(corpus: Corpus, first: int, last: int) -> list[int]:
    """Return the places where fewest values go on, and the outermost ones."""
    places = range(first, last + 1)
    least = min(corpus.width(place) for place in places)
    narrow = [place for place in places if corpus.width(place) == least]
    return sorted({first, last, *narrow} if least else {first, last})


def _most_windows(places: tuple[int, ...], length: int) -> int:
    count, end = 0, -1
    for place in places:
        if place >= end:
            count += 1
            end = place + length
    return count
