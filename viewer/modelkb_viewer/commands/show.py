"""``modelkb show``: all that is recorded of experiments."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from modelkb_store import Experiment, Store
from modelkb_store.experiment_record import ExperimentRecord, Status
from modelkb_viewer.experiment_list import STATUS_COLOURS
from modelkb_viewer.options import experiments_argument, json_option, store_option
from modelkb_viewer.printing import duration, moment, number, print_json, print_table

_LARGEST_MATRIX_SHOWN = 20
_LONGEST_VALUE = 300  # characters of a hyperparameter
_HOW_PUT_TOGETHER = {"structure", "variable_paths", "variable_ids"}
_FIGURES = ("accuracy", "r2", "mae", "rmse")


@click.command("show")
@experiments_argument(required=True)
@store_option
@json_option
def command(ids: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Show all that is recorded of experiments.

    An ID may be shortened to what is unique of its beginning or of its last part; the
    experiment's name does, too. With --json one is an object, several are an array.

    Examples:
      modelkb show 9f1c2b7a4d
      modelkb show baseline 03d7a1f4c2 --json
    """
    opened = Store(store)
    experiments = [opened.experiment(each) for each in ids]
    if as_json:
        shown = [_everything(experiment) for experiment in experiments]
        print_json(shown if len(shown) > 1 else shown[0])
        return
    for experiment in experiments:
        if experiment is not experiments[0]:
            click.echo()
        _print(experiment)


def _print(experiment: Experiment) -> None:
    _print_head(experiment)
    _print_hyperparameters(experiment)
    _print_metrics(experiment)
    _print_evaluations(experiment)


def _everything(experiment: Experiment) -> dict[str, Any]:
    return {
        "project": experiment.project,
        **asdict(experiment.record),
        "hyperparameters": experiment.hyperparameters(),
        "model": experiment.model(),
        "dataset": experiment.dataset(),
        "environment": experiment.environment(),
        "metrics": experiment.table("metrics").to_pylist(),
        "evaluations": experiment.table("evaluations").to_pylist(),
        "checkpoints": _checkpoints(experiment),
        "artifacts": experiment.table("artifacts").to_pylist(),
    }


def _checkpoints(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the checkpoints, oldest first, without how their files are put together."""
    rows = experiment.table("checkpoints").sort_by("created_at")
    shown = [name for name in rows.column_names if name not in _HOW_PUT_TOGETHER]
    found: list[dict[str, Any]] = rows.select(shown).to_pylist()
    return found


def _print_head(experiment: Experiment) -> None:
    record, model, dataset = experiment.record, experiment.model(), experiment.dataset()
    environment = experiment.environment()
    facts = {
        "id": experiment.id,
        "name": record.name,
        "project": experiment.project,
        "status": click.style(record.status, STATUS_COLOURS.get(record.status)),
        "owner": f"{record.owner} on {record.host}" if record.host else record.owner,
        "started": moment(record.started_at),
        "took": duration(record.duration_seconds),
        "epochs": _epochs_text(record),
        "reproduces": record.reproduces_experiment_id,
        "seed": "" if record.seed is None else str(record.seed),
        "tags": ", ".join(record.tags),
        "notes": record.notes,
        "model": f"{model['class_name']}, {model['parameter_count']:,} parameters" if model else "",
        "data": _data_text(dataset) if dataset else "",
        "Keras": "{keras_version} on {backend} {backend_version}, Python {python_version}".format(
            **environment
        )
        if environment
        else "",
        "architecture": experiment.architecture_path() if record.architecture_id else "",
        "weights": _weights_text(experiment),
        "problems": "; ".join(record.problems),
    }
    for name, value in facts.items():
        if value:
            click.echo(f"{name:<14}{value}")


def _epochs_text(record: ExperimentRecord) -> str:
    if record.status == Status.RUNNING.value:
        return f"running, {record.epochs_planned} planned" if record.epochs_planned else "running"
    done = str(record.epochs_completed)
    return done if record.epochs_planned is None else f"{done} of {record.epochs_planned}"


def _data_text(dataset: dict[str, Any]) -> str:
    count = dataset["sample_count"]
    size = "" if count is None else f"{count:,} samples, "
    inputs = json.loads(dataset["inputs"] or "[]")
    shapes = " and ".join(str(tuple(item["shape"] or ())) for item in inputs)
    return f"{dataset['kind']}: {size}inputs {shapes or 'unknown'}"


def _weights_text(experiment: Experiment) -> str:
    """Return which checkpoints there are, and the size of one."""
    rows = experiment.table("checkpoints").sort_by("created_at").to_pylist()
    if not rows:
        return ""
    epochs = sum(row["kind"] == "epoch" for row in rows)
    names = [row["kind"] for row in rows if row["kind"] != "epoch"]
    names += [f"{epochs} epochs"] if epochs else []
    return f"{', '.join(dict.fromkeys(names))} ({rows[-1]['size_bytes']:,} bytes each)"


def _print_hyperparameters(experiment: Experiment) -> None:
    rows = experiment.table("hyperparameters").to_pylist()
    if rows:
        cells = [[row["name"], _plain_text(row["value"]), row["source"]] for row in rows]
        print_table(["hyperparameter", "value", "source"], cells)


def _plain_text(value: str) -> str:
    decoded = json.loads(value)
    text = decoded if isinstance(decoded, str) else value
    # The configuration of a model that was passed to a model; --json has all of it.
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _print_metrics(experiment: Experiment) -> None:
    """Print first, best and last value of every curve."""
    curves: dict[tuple[str, str], list[float]] = {}
    for row in experiment.table("metrics").to_pylist():
        curves.setdefault((row["metric"], row["split"]), []).append(row["value"])
    rows = [
        [metric, split, number(values[0]), number(min(values)), number(max(values)),
         number(values[-1])]
        for (metric, split), values in sorted(curves.items())
    ]  # fmt: skip
    if rows:
        print_table(["metric", "split", "first", "lowest", "highest", "last"], rows)


def _print_evaluations(experiment: Experiment) -> None:
    rows = experiment.table("evaluations").to_pylist()
    for row in rows:
        figures = [f"{name} {number(row[name])}" for name in _FIGURES if row[name] is not None]
        of_output = f"of {row['output']} " if len(rows) > 1 else ""
        sample = "a sample of " if row["sampled"] else ""
        click.echo(
            f"Evaluation {of_output}on {sample}{row['sample_count']:,} {row['split']} "
            f"samples ({row['source'].replace('_', ' ')}): {', '.join(figures)}"
        )
        matrix = row["confusion_matrix"]
        if matrix and len(matrix) <= _LARGEST_MATRIX_SHOWN:
            names = row["class_names"] or [str(index) for index in range(len(matrix))]
            cells = [[name, *map(str, counts)] for name, counts in zip(names, matrix, strict=True)]
            print_table(["true \\ predicted", *names], cells)
