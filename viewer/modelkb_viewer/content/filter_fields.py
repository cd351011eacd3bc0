"""What a reader can filter by, and what can be chosen of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import Store
from modelkb_viewer.content.experiment_frame import label_of
from modelkb_viewer.content.filters import Value, can_be_named, can_be_written
from modelkb_viewer.content.parameter_values import most_frequent_first, parameter_values
from modelkb_viewer.content.project_overview import ProjectOverview

_MOST_CHOICES = 50
_FEW = 6  # of so many numbers one rather picks than gives a range
_OF_EXPERIMENT = ("status", "tags", "started_at", "name", "owner", "duration_seconds", "notes")


class FieldKind(str, Enum):
    """How a field is filtered by."""

    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    TRUTH = "truth"
    TAGS = "tags"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field.

    Attributes:
        column: The column of the listing.
        kind: How it is filtered by.
        choices: The values to choose from, where there are few.
        low: The smallest number that an experiment has.
        high: The largest one.
    """

    column: str
    kind: FieldKind
    choices: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None


def filter_columns(overview: ProjectOverview) -> list[str]:
    """Return the columns that can be filtered by: hyperparameters that vary come first."""
    others = [name for name in overview.parameters if name not in overview.varying]
    names = [*_OF_EXPERIMENT, *overview.varying, *overview.metrics, *others]
    return [name for name in names if can_be_named(name)]


def filter_label(column: str) -> str:
    """Return what a field is called, with what it is of."""
    if column.startswith("params."):
        return f"Hyperparameter: {label_of(column)}"
    if column.startswith("metrics."):
        return f"Metric: {label_of(column)}"
    return label_of(column)


def filter_field(store: Store, project: str, overview: ProjectOverview, column: str) -> FilterField:
    """Return how a column is filtered by, from the values that the experiments have."""
    if column == "tags":
        return FilterField(column, FieldKind.TAGS, tuple(overview.tags))
    stored = overview.rows[column]
    if pa.types.is_timestamp(stored.type):
        return FilterField(column, FieldKind.TIME)
    if pa.types.is_boolean(stored.type):
        return FilterField(column, FieldKind.TRUTH)
    if pa.types.is_floating(stored.type) or pa.types.is_integer(stored.type):
        return _of_numbers(column, stored)
    if column.startswith("params."):
        values = most_frequent_first(
            parameter_values(store, project, column.removeprefix("params."))
        )
        return _of_choices(column, [value for value in values if can_be_written(value)])
    choices = overview.values(column) if column in ("status", "owner") else []
    return _of_choices(column, [str(value) for value in choices])


def _of_numbers(column: str, stored: pa.ChunkedArray) -> FilterField:
    """Return a choice of a few settings, else a range."""
    different = pc.unique(stored.drop_null())
    if column.startswith("params.") and 0 < len(different) <= _FEW:
        return _of_choices(column, sorted(different.to_pylist()))
    ends = pc.min_max(stored).as_py()
    return FilterField(column, FieldKind.NUMBER, (), ends["min"], ends["max"])


def _of_choices(column: str, choices: Sequence[Value]) -> FilterField:
    if 0 < len(choices) <= _MOST_CHOICES:
        return FilterField(column, FieldKind.CHOICE, tuple(choices))
    return FilterField(column, FieldKind.TEXT)
