"""Tables with a column per experiment: hyperparameters, metrics, environment, and what each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from modelkb_store import Experiment, Store
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.hyperparameter_values import as_text, is_missing
from modelkb_viewer.content.main_metric import main_metrics
from modelkb_viewer.content.metric_values import Summary, summarize
from modelkb_viewer.content.selected_experiments import LABEL
from modelkb_viewer.printing import duration

_PREFIX = "params."
_SUMMARIES: tuple[Summary, ...] = ("first", "best", "last")


def side_by_side(columns: Mapping[str, Mapping[str, Any]], title: str) -> pd.DataFrame:
    """Return a table with a row per name and a column per experiment.

    Args:
        columns: For each experiment, by its label, values by name. They are shown as texts, and
            what is missing as None.
        title: What the names are.

    Example:
        >>> side_by_side({"a": {"rate": 0.1}, "b": {"rate": 0.2, "size": 3}}, "Hyperparameter")
          Hyperparameter    a    b
        0           rate  0.1  0.2
        1           size None    3
    """
    names = list(dict.fromkeys(name for values in columns.values() for name in values))
    table: dict[str, list[Any]] = {title: names}
    for label, values in columns.items():
        table[_free(label, table)] = [_shown(values.get(name)) for name in names]
    frame: pd.DataFrame = pd.DataFrame(table, dtype="object")
    return frame


def only_differences(frame: pd.DataFrame, fixed: int = 1) -> pd.DataFrame:
    """Return the rows that are not the same in all experiments.

    Args:
        frame: As of :func:`side_by_side`.
        fixed: How many columns come before those of the experiments.
    """
    values = frame.iloc[:, fixed:]
    if values.shape[1] < 2:
        return frame
    first = values.iloc[:, 0]
    same = values.apply(lambda column: (column == first) | (column.isna() & first.isna()))
    different: pd.DataFrame = frame[~same.all(axis=1)].reset_index(drop=True)
    return different


def hyperparameters_side_by_side(experiments: pd.DataFrame) -> pd.DataFrame:
    """Return the hyperparameters; columns ``Hyperparameter`` and the labels."""
    named = sorted(name for name in experiments.columns if name.startswith(_PREFIX))
    columns = {
        label: {name.removeprefix(_PREFIX): row[name] for name in named}
        for label, (_, row) in zip(experiments[LABEL], experiments[named].iterrows(), strict=True)
    }
    return side_by_side(columns, "Hyperparameter")


def metrics_side_by_side(store: Store, experiments: pd.DataFrame) -> pd.DataFrame:
    """Return the first, best and last value of each curve, the most telling metrics first.

    Returns:
        Columns ``Metric``, ``Value`` (``first``, ``best`` or ``last``), ``Best`` (the labels
        with the best value), and a number per label.
    """
    curves = store.metrics(experiments["experiment_id"])
    counts = curves.groupby("name")["experiment_id"].nunique()
    rows = []
    for metric in main_metrics({str(name): int(count) for name, count in counts.items()}):
        of_metric = curves[curves["name"] == metric]
        for summary in _SUMMARIES:
            values = summarize(of_metric, metric, summary).reindex(experiments["experiment_id"])
            labelled = dict(zip(experiments[LABEL], values, strict=True))
            best = values.max() if higher_is_better(metric) else values.min()
            ahead = [label for label, value in labelled.items() if value == best]
            rows.append([metric, summary, ", ".join(ahead), *labelled.values()])
    names: list[str] = []
    for label in ("Metric", "Value", "Best", *experiments[LABEL]):
        names.append(_free(label, names))
    frame: pd.DataFrame = pd.DataFrame(rows, columns=names)
    return frame


def facts_side_by_side(store: Store, experiments: pd.DataFrame) -> pd.DataFrame:
    """Return what each experiment is; columns ``Fact`` and the labels."""
    columns = {}
    for label, (_, row) in zip(experiments[LABEL], experiments.iterrows(), strict=True):
        columns[label] = {**_facts_of_row(row), **_facts_of(store.experiment(row["experiment_id"]))}
    return side_by_side(columns, "Fact")


def environments_side_by_side(store: Store, experiments: pd.DataFrame) -> pd.DataFrame:
    """Return the environments; columns ``Setting`` and the labels.

    Versions of packages and environment variables have a row each.
    """
    columns = {}
    for label, each in zip(experiments[LABEL], experiments["experiment_id"], strict=True):
        environment = store.experiment(each).environment()
        packages = environment.pop("distributions", {})
        variables = environment.pop("variables", {})
        for unlike in ("environment_id", "created_at", "project"):
            environment.pop(unlike, None)
        columns[label] = {
            **{name.replace("_", " "): value for name, value in environment.items()},
            **{f"${name}": value for name, value in sorted(variables.items())},
            **{f"package {name}": version for name, version in sorted(packages.items())},
        }
    return side_by_side(columns, "Setting")


def _facts_of_row(row: pd.Series) -> dict[str, Any]:
    epochs = row["epochs_completed"], row["epochs_planned"]
    seconds = row["duration_seconds"]
    return {
        "Project": row["project"],
        "Experiment id": row["experiment_id"],
        "Status": row["status"],
        "Started (UTC)": row["started_at"].strftime("%Y-%m-%d %H:%M:%S"),
        "Duration": None if is_missing(seconds) else duration(seconds),
        "Epochs": " of ".join(as_text(each) for each in epochs if not is_missing(each)),
        "Owner": row["owner"],
        "Host": row["host"],
        "Seed": row["seed"],
        "Tags": ", ".join(row["tags"]),
        "Notes": row["notes"],
        "Parent": row["parent_experiment_id"],
        "Architecture": row["architecture_id"],
        "Training data": row["dataset_id"],
        "Validation data": row["validation_dataset_id"],
    }


def _facts_of(experiment: Experiment) -> dict[str, Any]:
    model, implementation = experiment.model(), experiment.implementation()
    return {
        "Model class": model.get("class_name"),
        "Layers": model.get("layer_count"),
        "Parameters": model.get("parameter_count"),
        "Trainable parameters": model.get("trainable_parameter_count"),
        "Script": implementation.get("script"),
        "Git commit": implementation.get("git_commit"),
        "Git branch": implementation.get("git_branch"),
        "Uncommitted changes": bool(implementation["git_difference"])
        if implementation.get("git_difference") is not None
        else None,
    }


def _shown(value: Any) -> str | None:
    if is_missing(value) or (isinstance(value, str) and not value):
        return None
    return as_text(value)


def _free(label: str, taken: Mapping[str, Any] | Sequence[str]) -> str:
    """Return a name for a column that no other has: an experiment may be called as any."""
    while label in taken:
        label += " "
    return label
