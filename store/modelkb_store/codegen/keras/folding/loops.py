"""Finds what is repeated side by side, and makes loops of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from modelkb_store.codegen.keras.folding.graph import Program, Region
from modelkb_store.codegen.keras.folding.loop_plans import LoopPlan, Uses, apply_plan, plan_loop
from modelkb_store.codegen.keras.folding.passes import Passes
from modelkb_store.codegen.keras.folding.repeats import Run, runs
from modelkb_store.codegen.keras.folding.shapes import Shapes

# How much is looked at to find the best beginning of a loop.
_EFFORT = 60_000
_LEAST_GAIN = 2


@dataclass(frozen=True, slots=True)
class _Candidate:
    run: Run
    plan: LoopPlan | None


def fold_loops(
    program: Program, region: Region, shapes: Shapes, *, inner_first: bool = False
) -> bool:
    """Make loops of what is repeated side by side in a region.

    Args:
        program: The program.
        region: A region of it.
        shapes: The shapes of its operations.
        inner_first: Whether the shortest parts are made loops first, not what saves most.

    Returns:
        Whether there was any.
    """
    changed = False
    while _fold_once(program, region, shapes, inner_first=inner_first):
        changed = True
    return changed


def _fold_once(program: Program, region: Region, shapes: Shapes, *, inner_first: bool) -> bool:
    """Make the loops that save most, as far as they do not overlap."""
    operations = region.operations
    lines = [shapes.of(each).lines for each in operations]
    sums = [0]
    for each in lines:
        sums.append(sums[-1] + each)
    heap: list[tuple[int, float, int, _Candidate]] = []
    for number, run in enumerate(runs([shapes.of(each).key for each in operations])):
        total = sums[run.end] - sums[run.start]
        most = total - total * run.period / (run.end - run.start)
        if most >= _LEAST_GAIN:
            period = run.period if inner_first else 0
            heapq.heappush(heap, (period, -most, number, _Candidate(run, None)))
    uses = Uses(region)
    free = [True] * len(operations)
    chosen: list[LoopPlan] = []
    while heap:
        period, _, number, candidate = heapq.heappop(heap)
        plan = candidate.plan
        if plan is not None:
            if all(free[plan.start : plan.end]):
                free[plan.start : plan.end] = [False] * (plan.end - plan.start)
                chosen.append(plan)
            continue
        run = candidate.run
        if not all(free[run.start : run.end]):
            continue
        for number_of_plan, plan in enumerate(_plans(program, region, shapes, uses, run)):
            if plan.gain >= _LEAST_GAIN:
                entry = _Candidate(run, plan)
                heapq.heappush(
                    heap, (period, -plan.gain, (number + 1) * 1000 + number_of_plan, entry)
                )
    for plan in sorted(chosen, key=lambda each: -each.start):
        apply_plan(region, plan)
    return bool(chosen)


def _plans(
    program: Program, region: Region, shapes: Shapes, uses: Uses, run: Run
) -> Iterator[LoopPlan]:
    """Walk the loops that a run can be: the best as a whole, or those that are its parts."""
    best: list[LoopPlan] = []
    for offset in _offsets(uses, shapes, region, run):
        count = (run.end - run.start - offset) // run.period
        passes = Passes(
            *(region, shapes),
            last=uses.last,
            start=run.start + offset,
            period=run.period,
            count=count,
        )
        for parts in passes.divisions():
            plans = [
                plan
                for begin, end in parts
                if (plan := plan_loop(program, shapes, uses, passes, (begin, end)))
                and plan.gain > 0
            ]
            if sum(plan.gain for plan in plans) > sum(plan.gain for plan in best) + 1e-9:
                best = plans
    yield from best


def _offsets(uses: Uses, shapes: Shapes, region: Region, run: Run) -> list[int]:
    """Return where in a run the repeated part may begin, those first where few values go on."""
    count = (run.end - run.start) // run.period
    possible = min(run.period, run.end - run.start - 2 * run.period + 1)
    widths = {
        offset: sum(uses.width[run.start + offset + each * run.period] for each in range(count))
        for offset in range(possible)
    }
    holes = sum(
        1 + len(shapes.of(each).attributes) for each in region.operations[run.start : run.end]
    )
    limit = max(3, min(24, _EFFORT // max(holes, 1)))
    return sorted(widths, key=lambda offset: (widths[offset], offset))[:limit]
