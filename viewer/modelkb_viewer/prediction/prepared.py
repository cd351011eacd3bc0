"""An input as the model takes it, and how it came to be so."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec, number

MOST_SAMPLES = 1000
MOST_VALUES = 20_000_000
_BEYOND = 0.01  # of the range of the training data


@dataclass(frozen=True, slots=True)
class Prepared:
    """Samples of one input.

    Attributes:
        array: The samples, one after the other.
        samples: What to call them before people.
        steps: What was done to them, in words and in order.
        warnings: What the reader should know of the values.
        originals: Small PNG pictures of what was given; none where it was no picture.
        seen: The same of what the model sees.
    """

    array: np.ndarray[Any, Any]
    samples: tuple[str, ...]
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    originals: tuple[bytes, ...] = ()
    seen: tuple[bytes, ...] = ()


def without_values(prepared: Prepared) -> Prepared:
    """Return the same with an array that has shape and type alone, and takes no memory."""
    nothing = np.zeros((), dtype=prepared.array.dtype)
    return dataclasses.replace(prepared, array=np.broadcast_to(nothing, prepared.array.shape))


def rows_of(count: int) -> tuple[str, ...]:
    """Return what to call the samples of a table or an array."""
    return tuple(f"row {place + 1}" for place in range(count))


def limited(array: np.ndarray[Any, Any], what: str) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return no more samples than are predicted at once, and the step in words.

    Raises:
        InputError: There are none, or they are too large.
    """
    if not len(array):
        raise InputError(what, "it holds no samples", "at least one")
    steps = []
    if len(array) > MOST_SAMPLES:
        steps.append(f"the first {MOST_SAMPLES:,} of {len(array):,} samples taken")
        array = array[:MOST_SAMPLES]
    if array.size > MOST_VALUES:
        problem = f"it has {array.size:,} values"
        raise InputError(what, problem, f"{MOST_VALUES:,} at most")
    return array, steps


def as_recorded_type(array: np.ndarray[Any, Any], spec: InputSpec) -> np.ndarray[Any, Any]:
    """Return values in the type of the training data."""
    name = "float32" if spec.dtype in ("bfloat16", "float16") else spec.dtype
    try:
        kind = np.dtype(name)
    except TypeError:
        kind = np.dtype("float32")
    typed: np.ndarray[Any, Any]
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        rounded = np.rint(np.nan_to_num(array.astype(np.float64)))
        typed = np.clip(rounded, limits.min, limits.max).astype(kind)
        return typed
    with np.errstate(over="ignore"):
        typed = array.astype(kind if kind.kind in "bf" else np.float32)
    return typed


def value_warnings(array: np.ndarray[Any, Any], spec: InputSpec) -> Iterable[str]:
    """Say what is odd about the values: none at all, or others than the model has learned from."""
    if array.dtype.kind not in "iuf":
        return
    finite = array[np.isfinite(array)]
    if finite.size < array.size:
        count = array.size - finite.size
        yield f"{count:,} values are missing or not finite: what a model says to these means little"
    if spec.low is None or spec.high is None or not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    slack = _BEYOND * (spec.high - spec.low)
    if low < spec.low - slack or high > spec.high + slack:
        yield (
            f"values run from {number(low)} to {number(high)}, those of the training data from "
            f"{number(spec.low)} to {number(spec.high)}"
        )


def common_steps(names: Sequence[str], steps: Sequence[Sequence[str]]) -> list[str]:
    """Return the steps of several samples: once what all have in common, else with the name."""
    found: dict[str, list[str]] = {}
    for name, of_sample in zip(names, steps, strict=True):
        for step in of_sample:
            found.setdefault(step, []).append(name)
    return [
        step if len(having) == len(names) else f"{', '.join(having)}: {step}"
        for step, having in found.items()
    ]
