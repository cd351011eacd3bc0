"""Why a run and its reproduction differ: what is known to, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.script.saving import shown_script
from modelkb_store.errors import CodeGenerationError
from modelkb_store.experiment import Experiment
from modelkb_store.records import ExperimentRecord, Status
from modelkb_store.reproduction.cause import Cause
from modelkb_store.reproduction.environment_causes import device_causes, environment_causes

_PROBLEMS_SHOWN = 5
_INITIAL = "initial"
_IN_DOUBT = ("start", "script")  # what may make no difference, so that more may
_SPLITS = (("train", "training"), ("validation", "validation"))


def causes_of_difference(
    original: Experiment,
    reproduction: Experiment,
    *,
    same_architecture: bool | None = None,
    same_initial_weights: bool | None = None,
) -> tuple[Cause, ...]:
    """Return what may be why two runs differ, the likeliest first.

    Args:
        original: The earlier run.
        reproduction: The later one.
        same_architecture: Whether the models are the same; None if unknown.
        same_initial_weights: Whether their weights were the same at the start; None if unknown.
    """
    then, now = original.environment(), reproduction.environment()
    found = [
        *_of_end(reproduction.record),
        *_of_architecture(same_architecture),
        *_of_data(original, reproduction),
        *_of_start(original, same_initial_weights),
        *_of_epochs(original.record, reproduction.record),
        *_of_source(original),
        *_of_script(original),
        *environment_causes(then, now),
        *_of_unknown_data(original, reproduction),
    ]
    if then and now and (not found or all(cause.kind in _IN_DOUBT for cause in found)):
        found += device_causes(then, now)
    return tuple(found) or (Cause("unknown", "nothing that is recorded of the two runs differs"),)


def _of_end(reproduction: ExperimentRecord) -> Iterator[Cause]:
    if reproduction.status == Status.FINISHED.value:
        return
    for problem in reproduction.problems or (f"the reproduction is {reproduction.status}",):
        yield Cause("error", problem)


def _of_architecture(is_same: bool | None) -> Iterator[Cause]:
    if is_same is False:
        yield Cause("architecture", "the reproduction trained another architecture")


def _of_data(original: Experiment, reproduction: Experiment) -> Iterator[Cause]:
    for split, name in _SPLITS:
        if original.same_data(reproduction, split) is False:
            how = _how_it_differs(original.dataset(split), reproduction.dataset(split))
            yield Cause("data", f"the {name} data is not the same any more: {how}")


def _of_unknown_data(original: Experiment, reproduction: Experiment) -> Iterator[Cause]:
    for split, name in _SPLITS:
        one, other = original.dataset(split), reproduction.dataset(split)
        if bool(one) != bool(other):
            which = "reproduction" if one else "original"
            yield Cause("data", f"no {name} data is recorded of the {which}")
        elif one and original.same_data(reproduction, split) is None:
            yield Cause("data", f"whether the {name} data is the same cannot be known")


def _of_start(original: Experiment, same_weights: bool | None) -> Iterator[Cause]:
    kinds = original.table("checkpoints")["kind"].to_pylist()
    parent = original.record.parent_experiment_id
    if parent is not None:
        lost = (
            "the optimizer's state at its start was not kept"
            if _INITIAL in kinds
            else "its weights were not kept"
        )
        yield Cause("start", f"the model came out of experiment {parent}, and {lost}")
    if original.record.seed is None:
        kept = (
            "its initial weights were restored, but not all that was drawn later may be"
            if _INITIAL in kinds
            else "its initial weights were not kept"
        )
        yield Cause("seed", f"the original set no seed; {kept}")
    if same_weights is False:
        yield Cause("start", "the weights were not the same when training began")


def _of_epochs(original: ExperimentRecord, reproduction: ExperimentRecord) -> Iterator[Cause]:
    counts = original.epochs_completed, reproduction.epochs_completed
    if counts[0] != counts[1]:
        ended = "" if original.status == Status.FINISHED.value else f" and was {original.status}"
        yield Cause(
            "epochs",
            f"the original trained {counts[0]} epochs{ended}, the reproduction {counts[1]}",
        )


def _of_source(original: Experiment) -> Iterator[Cause]:
    implementation = original.implementation()
    if not implementation.get("data_slice"):
        yield Cause("source", "how the original made its data is not recorded")
    problems = implementation.get("source_problems") or []
    for problem in problems[:_PROBLEMS_SHOWN]:
        yield Cause("source", problem)
    if len(problems) > _PROBLEMS_SHOWN:
        yield Cause("source", f"and {len(problems) - _PROBLEMS_SHOWN} more of the kind")


def _of_script(original: Experiment) -> Iterator[Cause]:
    """Walk what the script says of itself that it lacks."""
    try:
        unwritten = shown_script(original).unwritten
    except CodeGenerationError:
        return  # nothing was run that could differ for it
    for problem in unwritten[:_PROBLEMS_SHOWN]:
        yield Cause("script", problem)
    if len(unwritten) > _PROBLEMS_SHOWN:
        yield Cause("script", f"and {len(unwritten) - _PROBLEMS_SHOWN} more of the kind")


def _how_it_differs(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    counts = then["sample_count"], now["sample_count"]
    if counts[0] != counts[1] and None not in counts:
        return f"{counts[0]:,} samples then, and {counts[1]:,} now"
    return "it has another fingerprint"
