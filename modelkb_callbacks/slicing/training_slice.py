"""Slicing around a call of ``fit``: its data, and those of the evaluations after it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from modelkb_callbacks.slicing.data_slice import DataSlice
from modelkb_callbacks.slicing.frame_location import FrameLocation
from modelkb_callbacks.slicing.obstacles import obstacle
from modelkb_callbacks.slicing.slicer import Slicer
from modelkb_callbacks.slicing.text_edits import Place

_logger = logging.getLogger(__name__)

_MOST_EVALUATIONS = 8  # that are tried one by one


def slice_data(
    frames: Sequence[FrameLocation], *, folders: Iterable[Path] = ()
) -> DataSlice | None:
    """Find what made the data of the running call of ``fit``.

    What is evaluated after it, in the same scope and on the same model, is found as well;
    where it can't be, the slice is that of ``fit`` alone, and its problems say so.

    Args:
        frames: The user's frames, the one that calls ``fit`` first, as
            :func:`frames_of_fit` gives them.
        folders: More folders in which modules of the user's may lie.

    Returns:
        None if the call is not found in the source. It never raises.
    """
    try:
        slicer = Slicer(frames, folders)
        found = slicer.slice()
    except Exception:  # any source may come; a training must not stop over it
        _logger.debug("No data slice of %r", frames[:1], exc_info=True)
        return None
    if found is None or "evaluate" not in frames[0].source.text:
        return found
    try:
        return _with_evaluations(frames, folders, slicer, found)
    except Exception:  # the same
        _logger.debug("No evaluations in the data slice of %r", frames[:1], exc_info=True)
        return dataclasses.replace(
            found, problems=(*found.problems, "evaluate: what is after fit() can't be followed")
        )


def _with_evaluations(
    frames: Sequence[FrameLocation], folders: Iterable[Path], alone: Slicer, found: DataSlice
) -> DataSlice:
    """Return the slice with all evaluations that can be followed."""
    before = found.problems
    every = Slicer(frames, folders, evaluations_left_out=frozenset())
    extended = every.slice()
    problems: list[str] = list(every.evaluation_problems)
    if extended is not None and every.places:
        reason = obstacle(every, alone)
        if not reason:
            found = extended
        else:
            found, reasons = _one_by_one(frames, folders, alone, found, every.places)
            problems += reasons
    known = [each for each in found.problems if each in before]
    new = [each for each in found.problems if each not in before]
    told = dict.fromkeys(f"evaluate: {each}" for each in [*new, *problems])
    return dataclasses.replace(found, problems=(*known, *told))


def _one_by_one(
    frames: Sequence[FrameLocation],
    folders: Iterable[Path],
    alone: Slicer,
    found: DataSlice,
    places: Sequence[Place],
) -> tuple[DataSlice, list[str]]:
    """Return the slice with those evaluations that can be followed, and why others can't."""
    left_out = set(places)
    problems: list[str] = []
    for place in places[:_MOST_EVALUATIONS]:
        slicer = Slicer(frames, folders, evaluations_left_out=left_out - {place})
        reason = "it can't be followed"
        try:
            extended = slicer.slice()
            reason = obstacle(slicer, alone)
        except Exception:  # noqa: BLE001 - as in `slice_data`
            extended = None
        if extended is not None and not reason:
            left_out.remove(place)
            found = extended
        else:
            where = frames[0].source.location(place[0])
            problems.append(f"the data at {where} are left out: {reason}")
    return found, problems
