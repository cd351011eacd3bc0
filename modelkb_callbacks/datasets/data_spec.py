"""Shapes, types and value ranges of the leaves of inputs or targets, as the table holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from modelkb_callbacks.datasets.data_profile import LeafProfile, dtype_name
from modelkb_store.ids import canonical_json
from modelkb_store.shortest_float import shortest_float


def array_spec(structure: Any, profiles: Sequence[LeafProfile]) -> str | None:
    """Return the JSON of arrays.

    Args:
        structure: The arrays; None without any.
        profiles: What was seen of each; empty if nothing was.
    """
    return _spec(structure, lambda leaf: [int(extent) for extent in leaf.shape[1:]], profiles)


def tensor_spec(structure: Any, profiles: Sequence[LeafProfile]) -> str | None:
    """Return the JSON of TensorFlow's specs of batches; see :func:`array_spec`."""
    return _spec(structure, _tensor_shape, profiles)


def seen_spec(structure: Any, profiles: Sequence[LeafProfile]) -> str | None:
    """Return the JSON of what was seen alone, in a structure whose leaves mean nothing."""
    rows = [
        {"name": name, "shape": profile.shape, "dtype": profile.dtype, **_range(profile)}
        for name, profile in zip(_names(structure, len(profiles)), profiles, strict=True)
    ]
    return canonical_json(rows) if rows else None


def _spec(structure: Any, shape_of: Any, profiles: Sequence[LeafProfile]) -> str | None:
    if structure is None:
        return None
    leaves = [leaf for leaf in keras.tree.flatten(structure) if leaf is not None]
    seen = profiles if len(profiles) == len(leaves) else [None] * len(leaves)
    rows = [
        {"name": name, "shape": shape_of(leaf), "dtype": dtype_name(leaf), **_range(profile)}
        for name, leaf, profile in zip(_names(structure, len(leaves)), leaves, seen, strict=True)
    ]
    return canonical_json(rows)


def _names(structure: Any, count: int) -> list[str | None]:
    """Return the names of a mapping, in the order of its leaves."""
    names = sorted(structure) if isinstance(structure, dict) else []
    return [str(name) for name in names] if len(names) == count else [None] * count


def _range(profile: LeafProfile | None) -> dict[str, int | float | str]:
    if profile is None or profile.low is None or profile.high is None:
        return {}
    return {"min": _number(profile.low), "max": _number(profile.high)}


def _number(value: float) -> int | float | str:
    if isinstance(value, int):
        return value
    return shortest_float(value) if math.isfinite(value) else str(value)  # JSON knows no infinity


def _tensor_shape(spec: Any) -> list[int | None] | None:
    if spec.shape.rank is None:
        return None
    return list(spec.shape.as_list()[1:])
