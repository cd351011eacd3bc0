"""Everything that is recorded of an experiment, as facts with a name and a value, by entity."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from modelkb_store import Experiment
from modelkb_viewer.content.data_description import SPLITS, data_arrays, data_facts
from modelkb_viewer.content.evaluations import evaluations_of
from modelkb_viewer.content.experiment_curves import metric_values
from modelkb_viewer.content.local_times import local_time

Facts = list[tuple[str, str]]
CODE = {
    "data_slice": "Code that makes the data",
    "definitions": "Definitions of layers, losses and callbacks",
    "git_difference": "Uncommitted difference",
}
_IMPLEMENTATION = ("script", "model_class", "git_commit", "git_branch", "implementation_id")
_SOURCES = {
    "user": "given to ModelKB",
    "fit": "argument of fit",
    "compile": "compile",
    "model": "argument of the model's class",
    "environment": "environment variable",
    "scanner": "read in the source",
    "variable": "variable of the program",
}


@dataclass(frozen=True, slots=True)
class FactGroup:
    """What is recorded of one entity.

    Attributes:
        title: The entity.
        facts: Columns ``Name`` and ``Value``, and maybe ``Source``: texts.
    """

    title: str
    facts: pd.DataFrame


def fact_groups(experiment: Experiment, zone: str | None) -> list[FactGroup]:
    """Return all groups that have facts.

    Args:
        experiment: The experiment.
        zone: The reader's time zone; None for UTC.
    """
    groups = [
        _group("Experiment", _columns(_experiment_row(experiment), zone)),
        _group("Model", _columns(experiment.model(), zone)),
        _hyperparameters(experiment),
        *(_group(title, _data(experiment, split)) for split, title in SPLITS.items()),
        _group("Metrics", _metrics(experiment)),
        _group("Evaluations", _evaluations(experiment)),
        *_environment_groups(experiment, zone),
        *_implementation_groups(experiment.implementation()),
        *(_rows(experiment, table, zone) for table in ("artifacts", "checkpoints", "predictions")),
        _group("Random states", [(row["generator"], "kept") for row in _states(experiment)]),
    ]
    return [group for group in groups if len(group.facts)]


def matching(groups: list[FactGroup], search: str) -> list[FactGroup]:
    """Return the groups that have facts with all words of a search, with these facts alone.

    A word may stand in the name of the group, in a fact's name or in its value.
    """
    words = search.lower().replace("_", " ").split()
    found = []
    for group in groups:
        texts = group.facts.agg(" ".join, axis=1).str.lower() + f" {group.title.lower()}"
        texts = texts.str.replace("_", " ")
        hit = pd.Series(data=True, index=texts.index)
        for word in words:
            hit &= texts.str.contains(word, regex=False)
        if hit.any():
            found.append(FactGroup(group.title, group.facts[hit].reset_index(drop=True)))
    return found


def _group(title: str, facts: Facts) -> FactGroup:
    frame: pd.DataFrame = pd.DataFrame(facts, columns=["Name", "Value"], dtype="object")
    return FactGroup(title, frame)


def _experiment_row(experiment: Experiment) -> dict[str, Any]:
    record = experiment.record
    columns = {name: getattr(record, name) for name in record.__slots__}
    columns["command_line"] = shlex.join(record.command_line or ())
    return {"project": experiment.project, **columns}


def _hyperparameters(experiment: Experiment) -> FactGroup:
    rows = [
        (row["name"], text_of(json.loads(row["value"])), _SOURCES.get(row["source"], row["source"]))
        for row in experiment.table("hyperparameters").to_pylist()
    ]
    columns = ["Name", "Value", "Source"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns, dtype="object")
    return FactGroup("Hyperparameters", frame)


def _data(experiment: Experiment, split: str) -> Facts:
    dataset = experiment.dataset(split)
    facts = list(data_facts(dataset).items())
    for row in data_arrays(dataset).to_dict("records"):
        known = f"{row['Dtype']} {row['Shape']}"
        if pd.notna(row["Smallest"]):
            known += f", from {row['Smallest']:.4g} to {row['Largest']:.4g}"
        facts.append((f"{row['Role']} {row['Name']}", known))
    names, counts = dataset.get("class_names"), dataset.get("class_counts") or []
    labels = names if names and len(names) == len(counts) else range(len(counts))
    facts += [
        (f"Samples of class {label}", f"{n:,}") for label, n in zip(labels, counts, strict=True)
    ]
    return facts


def _metrics(experiment: Experiment) -> Facts:
    values = metric_values(experiment.metrics()).to_dict("records")
    return [
        (f"{row['Metric']} ({row['Split']})", f"last {row['Last']:.4g}, best {row['Best']:.4g}")
        for row in values
        if row["Best"] is not None
    ]


def _evaluations(experiment: Experiment) -> Facts:
    return [
        (f"{name} ({evaluation.label})", f"{value:.4g}")
        for evaluation in evaluations_of(experiment)
        for name, value in evaluation.figures.items()
    ]


def _environment_groups(experiment: Experiment, zone: str | None) -> Iterator[FactGroup]:
    environment = experiment.environment()
    nested = {
        "Packages": environment.pop("distributions", {}),
        "Environment variables": environment.pop("variables", {}),
    }
    yield _group("Environment", _columns(environment, zone))
    for title, values in nested.items():
        yield _group(title, list(values.items()))


def _implementation_groups(implementation: Mapping[str, Any]) -> Iterator[FactGroup]:
    facts = [(words(name), implementation.get(name) or "") for name in _IMPLEMENTATION]
    for column in ("source_problems", "source_warnings"):
        facts += [(words(column), text) for text in implementation.get(column) or ()]
    yield _group("Implementation", [fact for fact in facts if fact[1]])
    for column, title in CODE.items():
        lines = (implementation.get(column) or "").splitlines()
        yield _group(
            title, [(f"Line {n}", line) for n, line in enumerate(lines, 1) if line.strip()]
        )


def _rows(experiment: Experiment, table: str, zone: str | None) -> FactGroup:
    left_out = ("structure", "variable_paths", "variable_ids")
    facts = []
    for row in experiment.table(table).to_pylist():
        known = {name: value for name, value in row.items() if name not in left_out}
        title = row.get("name") or row.get("kind") or row.get("source") or table
        values = [f"{name} {value}" for name, value in _columns(known, zone)]
        facts.append((str(title), ", ".join(values)))
    return _group(words(table), facts)


def _states(experiment: Experiment) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = experiment.table("random_states").to_pylist()
    return rows


def _columns(row: Mapping[str, Any], zone: str | None) -> Facts:
    """Return the columns of a row that have a value; JSON taken apart."""
    facts: Facts = []
    for name, value in row.items():
        if isinstance(value, str) and name == "compile_config":
            facts += [(f"compile: {key}", text) for key, text in _flat(json.loads(value))]
        elif isinstance(value, datetime):
            facts.append((words(name), local_time(value, zone)))
        elif name.endswith("_bytes") and isinstance(value, int):
            facts.append((words(name.removesuffix("_bytes")), size_text(value)))
        elif value not in (None, "", (), []):
            facts.append((words(name), text_of(value)))
    return facts


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(each, f"{prefix}.{name}" if prefix else str(name))
    elif value is not None:
        yield prefix, text_of(value)


def words(name: str) -> str:
    """Return the name of a column for people.

    Example:
        >>> words("python_version")
        'Python version'
    """
    text = name.replace("_", " ").replace("modelkb", "ModelKB")
    return text[:1].upper() + text[1:]


def text_of(value: Any) -> str:
    """Return any plain value as a text: texts as they are, of numbers all digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(each, (str, int)) for each in value):
        return ", ".join(map(str, value))
    return json.dumps(value, default=str, ensure_ascii=False)


def size_text(size: int) -> str:
    """Return a size for people.

    Example:
        >>> size_text(2_500_000)
        '2.5 MB'
    """
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.3g} {unit}"
