"""``modelkb compare``: experiments side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from modelkb_store import Store
from modelkb_viewer.options import experiments_argument, json_option, store_option
from modelkb_viewer.printing import cell, print_json, print_table

if TYPE_CHECKING:
    from modelkb_viewer.content.comparison import (
        ComparedMetric,
        ComparedValue,
        Comparison,
        Difference,
    )

_LONGEST_VALUE = 60  # characters in a cell
_LAYER_CELLS = ("change", "class", "first", "second", "setting", "first_value", "second_value")


@click.command("compare")
@experiments_argument(required=True)
@click.option("--all", "shows_all", is_flag=True, help="Show what is the same as well.")
@click.option("--scripts", is_flag=True, help="Compare the regenerated scripts as well.")
@store_option
@json_option
def command(
    ids: tuple[str, ...],
    shows_all: bool,
    scripts: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Show what differs between two experiments or more.

    Hyperparameters, metrics, evaluations, what they are, environments, and the architectures and
    scripts of each against those of the first. IDs may be shortened; names do, too.

    Examples:
      modelkb compare 9f1c2b7a4d 7b3e90aa12
      modelkb compare baseline 9f1c2b7a4d --scripts --json
    """
    # Inside: it needs pandas, for which `--help` does not wait.
    from modelkb_viewer.content.comparison import DEFAULT_PARTS, compare_experiments

    opened = Store(store)
    whole = [opened.experiment(each).id for each in ids]
    parts = (*DEFAULT_PARTS, "scripts") if scripts else DEFAULT_PARTS
    comparison = compare_experiments(opened, whole, parts)
    if as_json:
        print_json(dataclasses.asdict(comparison))
    else:
        _print(comparison, shows_all=shows_all)


def _print(comparison: Comparison, *, shows_all: bool) -> None:
    labels = [each.label for each in comparison.experiments]
    _print_values("hyperparameter", labels, comparison.hyperparameters, shows_all=shows_all)
    _print_metrics(labels, comparison, shows_all=shows_all)
    _print_values("about", labels, comparison.facts, shows_all=shows_all)
    _print_values("environment", labels, comparison.environments, shows_all=shows_all)
    _print_evaluations(comparison)
    known = {each.experiment_id: each.label for each in comparison.experiments}
    for difference in comparison.architectures:
        _print_difference("Layers", labels[0], known[difference.experiment_id], difference)
    for difference in comparison.scripts:
        _print_difference("Scripts", labels[0], known[difference.experiment_id], difference)


def _print_values(
    title: str, labels: Sequence[str], values: Sequence[ComparedValue], *, shows_all: bool
) -> None:
    shown = [each for each in values if shows_all or each.differs]
    if shown:
        rows = [[each.name, *map(_short, each.values)] for each in shown]
        print_table([title, *labels], rows)
    elif values:
        click.echo(f"No {title} differs ({len(values)} are the same).\n")


def _print_metrics(labels: Sequence[str], comparison: Comparison, *, shows_all: bool) -> None:
    shown = [each for each in comparison.metrics if shows_all or each.differs]
    ids = [each.experiment_id for each in comparison.experiments]
    if shown:
        rows = [[each.metric, each.summary, *_numbers(each, ids)] for each in shown]
        print_table(["metric", "value", *labels], rows, right=labels)
        click.echo("* the best\n")


def _numbers(metric: ComparedMetric, ids: Sequence[str]) -> list[str]:
    pairs = zip(ids, metric.values, strict=True)
    return [f"{cell(value)}{'*' if each in metric.best else ' '}" for each, value in pairs]


def _print_evaluations(comparison: Comparison) -> None:
    known = {each.experiment_id: each.label for each in comparison.experiments}
    rows = [{"experiment": known[row["experiment_id"]], **row} for row in comparison.evaluations]
    if rows:
        columns = [name for name in rows[0] if name != "experiment_id"]
        cells = [[cell(row[name]) for name in columns] for row in rows]
        print_table(columns, cells, right=columns[3:])


def _print_difference(title: str, first: str, other: str, difference: Difference) -> None:
    click.echo(f"{title} of {other} against {first}: {difference.words}")
    if difference.layers:
        columns = [name.replace("_", " ") for name in _LAYER_CELLS]
        rows = [[_short(row[name]) for name in _LAYER_CELLS] for row in difference.layers]
        print_table(columns, rows)
    if difference.lines:
        click.echo(difference.lines)


def _short(value: Any) -> str:
    text = cell(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
