"""What the experiments of a project have: what a reader can show, filter, sort and group by."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import Store
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.experiment_frame import DURATION, PROGRESS, label_of
from modelkb_viewer.content.filters import can_be_named, written_name
from modelkb_viewer.content.main_metric import main_metrics

_MAIN_METRICS = 2
_MOST_VARYING = 8
# Those that people ask for first.
_FIRST = ("learning_rate", "optimizer", "batch_size", "epochs", "loss", "dropout")
_OF_EXPERIMENT = (
    *("name", "status", PROGRESS, "tags", "started_at", DURATION, "owner", "notes", "seed"),
    *("host", "ended_at", "experiment_id", "parent_experiment_id", "problems"),
)


@dataclass(frozen=True)
class ProjectOverview:
    """The columns of a project's experiments.

    Attributes:
        rows: All experiments, as :meth:`modelkb_store.Store.experiment_table` lists them.
        parameters: ``params.NAME`` of every hyperparameter, by name.
        varying: Those that differ between runs, the ones that matter most often first.
        metrics: ``metrics.NAME`` of every metric, the most telling one first.
    """

    rows: pa.Table
    parameters: tuple[str, ...]
    varying: tuple[str, ...]
    metrics: tuple[str, ...]

    def label(self, column: str) -> str:
        """Return what a column is called: where two would be called the same, as in a query."""
        label = label_of(column)
        return written_name(column) if label in self._ambiguous_labels else label

    @property
    def columns(self) -> list[str]:
        """All columns that can be shown."""
        return [*_OF_EXPERIMENT, *self.metrics, *self.parameters]

    @property
    def default_columns(self) -> list[str]:
        """The columns that are shown to who has chosen none.

        A hyperparameter that has one value wherever it is there tells nothing of its own: such are
        the settings of one optimizer among several.
        """
        losses = [name for name in self.metrics if name.endswith("loss")]
        metrics = dict.fromkeys([*self.metrics[:_MAIN_METRICS], *losses[:1]])
        shown = ["name", "status", PROGRESS, *metrics]
        telling = [name for name in self.varying if pc.count_distinct(self.rows[name]).as_py() > 1]
        return [*shown, *telling[:_MOST_VARYING], "started_at", DURATION]

    @property
    def orders(self) -> dict[str, str]:
        """What can be sorted by, as written in the query language, with words for people."""
        numbers = [name for name in self.metrics if can_be_named(name)]
        others = [name for name in (*self.varying, *self.parameters) if can_be_named(name)]
        known = {"-started_at": "Started, newest first", "started_at": "Started, oldest first"}
        for name in numbers:
            first, second = ("-", "") if higher_is_better(name) else ("", "-")
            for sign in (first, second):
                words = "highest first" if sign else "lowest first"
                known[sign + written_name(name)] = f"{self.label(name)}, {words}"
        for name in ("name", "status", DURATION, *others):
            known[written_name(name)] = f"{self.label(name)}, ascending"
            known[f"-{written_name(name)}"] = f"{self.label(name)}, descending"
        return known

    @property
    def groupings(self) -> list[str]:
        """The columns that can be grouped by: hyperparameters that vary come first."""
        others = [name for name in self.parameters if name not in self.varying]
        return [*self.varying, "status", "owner", *others]

    def values(self, column: str) -> list[object]:
        """Return the different values of a column, those of most runs first."""
        counted = pc.value_counts(self.rows[column].drop_null()).to_pylist()
        return [each["values"] for each in sorted(counted, key=lambda each: -each["counts"])]

    @functools.cached_property
    def _ambiguous_labels(self) -> set[str]:
        counted = Counter(map(label_of, self.columns))
        return {label for label, count in counted.items() if count > 1}

    @property
    def tags(self) -> list[str]:
        """The tags of the experiments, by name."""
        tags: list[str] = pc.unique(pc.list_flatten(self.rows["tags"])).to_pylist()
        return sorted(tags)


def overview(store: Store, project: str) -> ProjectOverview:
    """Return what the experiments of a project have."""
    rows = store.experiment_table(project)
    parameters = [name for name in rows.column_names if name.startswith("params.")]
    runs = {
        name.removeprefix("metrics."): rows.num_rows - rows[name].null_count
        for name in rows.column_names
        if name.startswith("metrics.")
    }
    return ProjectOverview(
        rows,
        tuple(parameters),
        tuple(_varying(rows, parameters)),
        tuple(f"metrics.{name}" for name in main_metrics(runs)),
    )


def _varying(rows: pa.Table, parameters: Sequence[str]) -> list[str]:
    """Return the parameters with several values; a run without one counts as another value.

    Of those that always have the same values, as a constant of the script and the argument that
    it is passed as, only one is given: if there is one the one without capitals.
    """
    found: list[str] = []
    for name in sorted(parameters, key=lambda name: (name != name.lower(), _place(name))):
        column = rows[name]
        is_known = any(column.equals(rows[other]) for other in found)
        if not is_known and pc.count_distinct(column, mode="all").as_py() > 1:
            found.append(name)
    return sorted(found, key=_place)


def _place(column: str) -> int:
    name = column.removeprefix("params.")
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
