"""What the numbers that a model gives mean: labels with probabilities, or values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from modelkb_store import Experiment
from modelkb_viewer.prediction.predictor import Predicted

_NEAR_ONE = 0.02
_SHOWN_CLASSES = 50


class Kind(Enum):
    """What an output is."""

    CLASSES = "one of several classes"
    LABELS = "any number of labels"
    VALUES = "values"
    ARRAY = "an array"


@dataclass(frozen=True, slots=True)
class Reading:
    """One output, read.

    Attributes:
        name: The output.
        kind: What it is.
        values: Samples by classes, labels or values; for an array as the model gave it.
        labels: The names of the columns of ``values``; none of an array.
        notes: What was done to the numbers, in words.
    """

    name: str
    kind: Kind
    values: np.ndarray[Any, Any]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_one_value(self) -> bool:
        """Whether it is a single number for each sample."""
        return self.kind is Kind.VALUES and len(self.labels) == 1

    def of_sample(self, place: int) -> pd.DataFrame:
        """Return what the model says of one sample, the most likely first."""
        if self.kind is Kind.VALUES:
            frame = pd.DataFrame({"Output": self.labels, "Value": self.values[place]})
        else:
            name = "Class" if self.kind is Kind.CLASSES else "Label"
            frame = pd.DataFrame({name: self.labels, "Probability": self.values[place]})
            frame = frame.sort_values("Probability", ascending=False, kind="stable")
        in_order: pd.DataFrame = frame.reset_index(drop=True)
        return in_order

    def of_all(self, samples: Sequence[str]) -> pd.DataFrame:
        """Return a row for each sample."""
        frame: pd.DataFrame = pd.DataFrame({"Sample": list(samples)})
        if self.kind is Kind.ARRAY:
            return frame
        if self.kind is Kind.CLASSES:
            best = np.nan_to_num(self.values, nan=-1.0).argmax(axis=1)
            frame["Class"] = [self.labels[place] for place in best]
            frame["Probability"] = self.values[np.arange(len(best)), best]
        columns = _column_names(self.labels, list(frame.columns))
        if len(columns) <= _SHOWN_CLASSES:
            frame = pd.concat([frame, pd.DataFrame(self.values, columns=columns)], axis=1)
        return frame


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """What is recorded of the outputs of a model.

    Attributes:
        evaluations: The rows of its evaluations, newest first.
        compile_config: How it was compiled, as JSON text.
        class_names: The classes of its training data.
    """

    evaluations: tuple[Mapping[str, Any], ...]
    compile_config: str | None
    class_names: tuple[str, ...]


def output_facts(experiment: Experiment) -> OutputFacts:
    """Return what is recorded of the outputs of an experiment's model."""
    return OutputFacts(
        evaluation_rows(experiment),
        experiment.model().get("compile_config"),
        tuple(experiment.dataset().get("class_names") or ()),
    )


def evaluation_rows(experiment: Experiment) -> tuple[Mapping[str, Any], ...]:
    """Return the evaluations of an experiment, newest first."""
    rows = experiment.table("evaluations").sort_by([("created_at", "descending")])
    return tuple(rows.to_pylist())


def read_outputs(facts: OutputFacts, predicted: Predicted) -> list[Reading]:
    """Return the outputs of a model as people read them.

    What the run was evaluated as says whether it is a classifier, and what its classes are
    called; of a run without an evaluation its loss.
    """
    known = list(_tasks(facts, predicted.names))
    return [
        _read(name, np.asarray(values), task, classes)
        for name, values, (task, classes) in zip(
            predicted.names, predicted.outputs, known, strict=True
        )
    ]


def _tasks(facts: OutputFacts, names: Sequence[str]) -> Iterator[tuple[str | None, Sequence[str]]]:
    """Return the task of each output, and the names of its classes."""
    rows = facts.evaluations
    known = list(dict.fromkeys(row["output"] for row in rows))
    losses = _losses(facts, names)
    of_dataset = facts.class_names if len(names) == 1 else ()
    for place, name in enumerate(names):
        called = name if name in known else known[place] if len(known) == len(names) else None
        mine = [row for row in rows if row["output"] == called]
        classes = next((row["class_names"] for row in mine if row["class_names"]), of_dataset)
        task = mine[0]["task"] if mine else _task_of_loss(losses[place])
        yield task, classes


def _losses(facts: OutputFacts, names: Sequence[str]) -> list[str]:
    config = json.loads(facts.compile_config or "{}")
    loss = config.get("loss") if isinstance(config, dict) else None
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return [json.dumps(loss.get(name)) for name in names]
    if isinstance(loss, list) and len(loss) == len(names):
        return [json.dumps(each) for each in loss]
    return [json.dumps(loss)] * len(names)


def _task_of_loss(loss: str) -> str | None:
    """Return what a loss is for; None where it does not tell."""
    text = loss.lower().replace("_", "")
    if "crossentropy" in text or "hinge" in text:
        return "multilabel" if "binary" in text else "classification"
    regressions = ("squared", "absolute", "mse", "mae", "huber", "logcosh", "msle", "mape")
    return "regression" if any(each in text for each in regressions) else None


def _read(
    name: str, values: np.ndarray[Any, Any], task: str | None, classes: Sequence[str]
) -> Reading:
    if values.dtype.kind not in "biuf" or values.ndim > 2:
        return Reading(name, Kind.ARRAY, values, ())
    table = values.reshape(len(values), -1).astype(np.float64)
    if task is None:
        task = "classification" if _are_probabilities(table) else "regression"
    width = table.shape[1]
    if task == "regression":
        labels = (name,) if width == 1 else tuple(f"{name} {each + 1}" for each in range(width))
        return Reading(name, Kind.VALUES, table, labels)
    if task == "multilabel" and width > 1:
        likely, notes = _squeezed(table)
        return Reading(name, Kind.LABELS, likely, _class_names(classes, width), notes)
    if width == 1:
        likely, notes = _squeezed(table)
        both = np.concatenate([1.0 - likely, likely], axis=1)
        return Reading(name, Kind.CLASSES, both, _class_names(classes, 2), notes)
    if _is_between_0_and_1(table):
        notes = () if _are_probabilities(table) else ("the probabilities do not add up to 1",)
        return Reading(name, Kind.CLASSES, table, _class_names(classes, width), notes)
    note = "the model gives logits: the softmax of them is shown"
    return Reading(name, Kind.CLASSES, _softmax(table), _class_names(classes, width), (note,))


def _class_names(classes: Sequence[str], count: int) -> tuple[str, ...]:
    if len(classes) == count:
        return tuple(map(str, classes))
    return tuple(str(each) for each in range(count))


def _is_between_0_and_1(table: np.ndarray[Any, Any]) -> bool:
    finite = table[np.isfinite(table)]
    return bool(finite.size == 0 or (finite.min() >= 0.0 and finite.max() <= 1.0 + 1e-6))


def _are_probabilities(table: np.ndarray[Any, Any]) -> bool:
    """Return whether each row has shares of a whole."""
    sums = table[np.isfinite(table).all(axis=1)].sum(axis=1)
    adds_up = bool((np.abs(sums - 1.0) <= _NEAR_ONE).all())
    return table.shape[1] > 1 and _is_between_0_and_1(table) and adds_up


def _squeezed(table: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """Return probabilities of independent labels, of logits by the sigmoid function."""
    if _is_between_0_and_1(table):
        return table, ()
    with np.errstate(over="ignore"):
        likely = 1.0 / (1.0 + np.exp(-table))
    return likely, ("the model gives logits: the sigmoid of them is shown",)


def _softmax(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with np.errstate(invalid="ignore"):
        powers = np.exp(table - table.max(axis=1, keepdims=True))
        shares: np.ndarray[Any, Any] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _column_names(labels: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return names of columns that differ from each other and from those that are there."""
    found: list[str] = []
    for label in labels:
        name, number = label, 1
        while name in found or name in taken:
            number += 1
            name = f"{label} ({number})"
        found.append(name)
    return found
