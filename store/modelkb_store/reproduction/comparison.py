"""Whether a run gave again what an earlier one had given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from modelkb_store.experiment import Experiment
from modelkb_store.records import Status
from modelkb_store.reproduction.cause import Cause
from modelkb_store.reproduction.causes import causes_of_difference
from modelkb_store.reproduction.curves import CurveComparison, FirstDifference, compare_curves

# Where a weights file keeps the states of generators, which are no weights.
_GENERATOR = "seed_generator"


class Verdict(str, Enum):
    """How well a run was reproduced.

    ``identical``: every value of every curve of the training is, to the bit, and so are the
    weights at the end where both runs kept them. ``close``: every value is within 0.1% or
    0.00001 of the original. ``different``: not so, or other epochs, or nothing to compare.
    ``failed``: the reproduction did not come to its end.
    """

    IDENTICAL = "identical"
    CLOSE = "close"
    DIFFERENT = "different"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run and its reproduction, side by side.

    Attributes:
        experiment_id: The original.
        reproduction_id: The run that does it again; None if nothing was recorded.
        verdict: The outcome.
        same_architecture: Whether both trained the same architecture; None if unknown.
        same_initial_weights: Whether both began with the same weights; None if unknown.
        same_final_weights: Whether the weights of both ends are equal to the bit; None if unknown.
        compared_values: How many values of curves both have.
        max_difference: The largest absolute difference of two values; infinite where only one of
            them is finite, None without values to compare.
        first_difference: The first value that differs in a bit.
        not_compared: Curves of which only one of the runs has a value.
        causes: What may be why they differ, the likeliest first; none where they are identical.
    """

    experiment_id: str
    reproduction_id: str | None
    verdict: Verdict
    same_architecture: bool | None = None
    same_initial_weights: bool | None = None
    same_final_weights: bool | None = None
    compared_values: int = 0
    max_difference: float | None = None
    first_difference: FirstDifference | None = None
    not_compared: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()


def compare(original: Experiment, reproduction: Experiment) -> Comparison:
    """Compare a run with its reproduction, by what is recorded of both.

    Args:
        original: The earlier run.
        reproduction: The later one.

    Raises:
        CorruptFileError: A file of the store is damaged.
    """
    first, second = original.record, reproduction.record
    curves = compare_curves(original.table("metrics"), reproduction.table("metrics"))
    architecture = _equal(first.architecture_id, second.architecture_id)
    start = _equal(first.initial_weights_id, second.initial_weights_id)
    end = _same_final_weights(original, reproduction)
    verdict = _verdict(original, reproduction, curves, end)
    return Comparison(
        experiment_id=original.id,
        reproduction_id=reproduction.id,
        verdict=verdict,
        same_architecture=architecture,
        same_initial_weights=start,
        same_final_weights=end,
        compared_values=curves.compared,
        max_difference=curves.max_difference,
        first_difference=curves.first_difference,
        not_compared=(*curves.only_in_one, *curves.only_evaluated_in_one),
        causes=()
        if verdict is Verdict.IDENTICAL
        else (
            *causes_of_difference(
                original, reproduction, same_architecture=architecture, same_initial_weights=start
            ),
            *_of_curves(curves, end),
        ),
    )


def _of_curves(curves: CurveComparison, same_final_weights: bool | None) -> Iterator[Cause]:
    if curves.only_in_one:
        names = ", ".join(curves.only_in_one)
        yield Cause("curves", f"only one of the runs has all values of {names}")
    elif not curves.compared:
        yield Cause("curves", "the original recorded no values to compare")
    elif curves.first_difference is None and same_final_weights is False:
        yield Cause("weights", "the curves are equal, but the weights at the end are not")


def _equal(one: str | None, other: str | None) -> bool | None:
    return None if one is None or other is None else one == other


def _verdict(
    original: Experiment,
    reproduction: Experiment,
    curves: CurveComparison,
    same_final_weights: bool | None,
) -> Verdict:
    if reproduction.record.status != Status.FINISHED.value:
        return Verdict.FAILED
    if not curves.compared:
        is_same = same_final_weights and not curves.only_in_one
        return Verdict.IDENTICAL if is_same else Verdict.DIFFERENT
    if not curves.is_close:
        return Verdict.DIFFERENT
    if curves.only_in_one:
        # What was cut off went as far as it went.
        was_cut_off = original.record.status != Status.FINISHED.value
        return Verdict.CLOSE if was_cut_off else Verdict.DIFFERENT
    is_same = curves.first_difference is None and same_final_weights is not False
    return Verdict.IDENTICAL if is_same else Verdict.CLOSE


def _same_final_weights(original: Experiment, reproduction: Experiment) -> bool | None:
    ids = [_final_variables(each) for each in (original, reproduction)]
    if None in ids:
        return None
    # Names, and with them the order in a file, may be numbered otherwise in another process.
    return Counter(ids[0]) == Counter(ids[1])


def _final_variables(experiment: Experiment) -> Sequence[str] | None:
    rows: list[dict[str, Any]] = experiment.table("checkpoints").sort_by("created_at").to_pylist()
    ends = [row for row in rows if row["kind"] == "end"]
    if not ends:
        return None
    pairs = zip(ends[-1]["variable_paths"], ends[-1]["variable_ids"], strict=True)
    return [each for path, each in pairs if _GENERATOR not in path]
