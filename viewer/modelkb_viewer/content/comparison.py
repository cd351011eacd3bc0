"""Some experiments side by side, as plain values: what programs and the command line show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from modelkb_store import Experiment, Store
from modelkb_store.errors import ArtifactNotFoundError, InvalidSettingError, ModelKBError
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.architecture_difference import (
    architecture_difference,
    difference_in_words,
)
from modelkb_viewer.content.compared_evaluations import evaluation_measures
from modelkb_viewer.content.script_difference import script_difference
from modelkb_viewer.content.selected_experiments import LABEL, selected_experiments
from modelkb_viewer.content.side_by_side import (
    environments_side_by_side,
    facts_side_by_side,
    metrics_side_by_side,
)

MOST_COMPARED = 30
_SAME = "same"


@dataclass(frozen=True, slots=True)
class ComparedExperiment:
    """One of the experiments: its id, and what it is called beside the others."""

    experiment_id: str
    label: str


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A value of each experiment, in their order; None of one that has none.

    Attributes:
        name: What it is of.
        values: The values.
        differs: Whether they are not all the same.
    """

    name: str
    values: tuple[Any, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """A number of each experiment's curve of a metric, in their order.

    Attributes:
        metric: As in Keras' history.
        summary: ``first``, ``best`` or ``last``.
        values: The numbers; None of an experiment without.
        best: The ids of the experiments with the best of them.
        differs: Whether they are not all the same.
    """

    metric: str
    summary: str
    values: tuple[float | None, ...]
    best: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different in an experiment's model or script from those of the first one.

    Attributes:
        experiment_id: The experiment.
        is_same: Whether nothing is; None where it cannot be said.
        words: The difference in words, or why it cannot be said.
        layers: The layers that are not the same, and their settings, one row each.
        lines: The difference of the scripts as a unified diff.
    """

    experiment_id: str
    is_same: bool | None
    words: str
    layers: tuple[Mapping[str, Any], ...] = ()
    lines: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Experiments side by side; a part that was not asked for is empty.

    Attributes:
        experiments: The experiments, in the order of all values.
        facts: What each is: project, status, model, data and so on, as texts.
        hyperparameters: By name.
        metrics: The most telling one first.
        evaluations: One row per experiment, split and output.
        environments: Versions of packages and environment variables among them, as texts.
        architectures: Of each but the first.
        scripts: Of each but the first.
    """

    experiments: tuple[ComparedExperiment, ...]
    facts: tuple[ComparedValue, ...] = ()
    hyperparameters: tuple[ComparedValue, ...] = ()
    metrics: tuple[ComparedMetric, ...] = ()
    evaluations: tuple[Mapping[str, Any], ...] = ()
    environments: tuple[ComparedValue, ...] = ()
    architectures: tuple[Difference, ...] = ()
    scripts: tuple[Difference, ...] = ()


# Writing scripts takes a second and more each: only for those who ask.
DEFAULT_PARTS = (
    *("facts", "hyperparameters", "metrics", "evaluations", "environments", "architectures"),
)
PARTS = (*DEFAULT_PARTS, "scripts")


def compare_experiments(
    store: Store, experiment_ids: Sequence[str], parts: Iterable[str] = DEFAULT_PARTS
) -> Comparison:
    """Return what is the same and what is different between experiments.

    Args:
        store: The store.
        experiment_ids: Whole ids, 2 to 30 of them.
        parts: Which of :data:`PARTS` are wanted.

    Raises:
        InvalidSettingError: They are fewer or more, or there is no such part.
        CorruptFileError: A file of the store is damaged.
    """
    ids = list(dict.fromkeys(experiment_ids))
    if not 1 < len(ids) <= MOST_COMPARED:
        expected = f"2 to {MOST_COMPARED} different experiments"
        raise InvalidSettingError("experiments", f"{len(ids)} of them", expected)
    rows = selected_experiments(store, ids)
    opened = [store.experiment(each) for each in rows["experiment_id"]]
    made: dict[str, Callable[[], Any]] = {
        "facts": lambda: _of_frame(facts_side_by_side(store, rows)),
        "hyperparameters": lambda: _hyperparameters(opened),
        "metrics": lambda: _metrics(store, rows),
        "evaluations": lambda: _evaluations(opened),
        "environments": lambda: _of_frame(environments_side_by_side(store, rows)),
        "architectures": lambda: tuple(_architecture(opened[0], each) for each in opened[1:]),
        "scripts": lambda: _scripts(rows[LABEL].tolist(), opened),
    }
    wanted = list(dict.fromkeys(parts))
    for part in wanted:
        if part not in made:
            raise InvalidSettingError("parts", part, f"some of {', '.join(made)}")
    labels = zip(rows["experiment_id"], rows[LABEL], strict=True)
    return Comparison(
        tuple(ComparedExperiment(*each) for each in labels),
        **{part: made[part]() for part in wanted},
    )


def _of_frame(frame: pd.DataFrame) -> tuple[ComparedValue, ...]:
    """Return the rows of a frame of :mod:`modelkb_viewer.content.side_by_side`."""
    rows = (tuple(row) for row in frame.itertuples(index=False, name=None))
    return tuple(_compared(str(name), values) for name, *values in rows)


def _compared(name: str, values: Sequence[Any]) -> ComparedValue:
    differs = any(value != values[0] for value in values[1:])
    return ComparedValue(name, tuple(values), differs)


def _hyperparameters(experiments: Sequence[Experiment]) -> tuple[ComparedValue, ...]:
    known = [each.hyperparameters() for each in experiments]
    names = sorted({name for values in known for name in values})
    return tuple(_compared(name, [values.get(name) for values in known]) for name in names)


def _metrics(store: Store, rows: pd.DataFrame) -> tuple[ComparedMetric, ...]:
    ids = rows["experiment_id"].tolist()
    found = []
    frame = metrics_side_by_side(store, rows)
    for metric, summary, _, *numbers in frame.itertuples(index=False, name=None):
        values = [None if math.isnan(number) else float(number) for number in numbers]
        known = [value for value in values if value is not None]
        choose = max if higher_is_better(metric) else min
        best = choose(known) if known else None
        ahead = [each for each, value in zip(ids, values, strict=True) if value == best]
        differs = any(value != values[0] for value in values[1:])
        found.append(
            ComparedMetric(metric, summary, tuple(values), tuple(ahead if known else ()), differs)
        )
    return tuple(found)


def _evaluations(experiments: Sequence[Experiment]) -> tuple[Mapping[str, Any], ...]:
    frame = evaluation_measures([(each.id, each) for each in experiments])
    rows = frame.rename(columns={"experiment": "experiment_id"}).astype("object")
    known: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict("records")
    return tuple(known)


def _architecture(first: Experiment, other: Experiment) -> Difference:
    try:
        frame = architecture_difference(first, other)
    except ArtifactNotFoundError as error:
        return Difference(other.id, None, str(error))
    changed = frame[frame["change"] != _SAME].astype("object")
    layers = changed.where(changed.notna(), None).to_dict("records")
    return Difference(other.id, not layers, difference_in_words(frame), tuple(layers))


def _scripts(labels: Sequence[str], experiments: Sequence[Experiment]) -> tuple[Difference, ...]:
    texts: dict[str, str] = {}
    problems: dict[str, str] = {}
    for each in experiments:
        try:
            texts[each.id] = each.script()
        except ModelKBError as error:
            problems[each.id] = str(error)
    found = []
    first = experiments[0].id
    for label, each in zip(labels[1:], experiments[1:], strict=True):
        problem = problems.get(first) or problems.get(each.id)
        if problem is not None:
            found.append(Difference(each.id, None, problem))
            continue
        lines = script_difference(texts[first], texts[each.id], (labels[0], label))
        words = "The scripts differ." if lines else "Both scripts are the same."
        found.append(Difference(each.id, not lines, words, lines=lines))
    return tuple(found)
