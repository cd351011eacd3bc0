"""``modelkb reproduce``: an experiment once more, and whether it comes to the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from modelkb_store import Experiment, Store
from modelkb_store.layout import resolve_store_location
from modelkb_store.records import Status
from modelkb_store.reproduction import Comparison, Reproducer, Verdict
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.reproducer import open_reproducer
from modelkb_viewer.reproduction_facts import comparison_as_json
from modelkb_viewer.reproduction_report import (
    print_comparison,
    print_line,
    print_summary,
)

_GOOD = (Verdict.IDENTICAL, Verdict.CLOSE)


@click.command("reproduce")
@click.argument("experiment_id", metavar="[ID]", required=False)
@click.option("--all", "all_of", is_flag=True, help="All finished experiments of a project.")
@click.option("--project", metavar="NAME", help="The project, for --all.")
@click.option("--isolated", is_flag=True, help="In a fresh environment with the recorded versions.")
@click.option("--keep", metavar="FOLDER", help="Keep the scripts in this folder.")
@store_option
@json_option
def command(
    experiment_id: str | None,
    all_of: bool,
    project: str | None,
    isolated: bool,
    keep: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Run an experiment again, and compare.

    Its script is written anew from the store (as by `modelkb regenerate`), RUN in a fresh process
    in the current folder, and recorded as a new experiment. Then curves and weights of both are
    compared to the bit. What the script prints goes to standard error.

    The verdict is `identical`, `close` (every value within 0.1% or 0.00001), `different` or
    `failed`; the exit code is 0 for the first two, else 1. With --isolated pip installs the
    recorded versions into a virtual environment, for this run only.

    Example: modelkb reproduce 9f1c2b7a4d
    """
    if all_of == (experiment_id is not None):
        raise click.UsageError("Give the ID of an experiment, or --all with --project.")
    if all_of != (project is not None):
        raise click.UsageError("--all and --project belong together.")
    location = resolve_store_location(store)
    opened = Store(location)
    printed = _pass_over if as_json or all_of else _show
    with open_reproducer(
        location, keep=keep, isolated=isolated, told=_show, printed=printed
    ) as reproducer:
        if project is not None:
            comparisons = _reproduce_all(reproducer, _originals(opened, project), as_json)
        else:
            original = opened.experiment(str(experiment_id))
            comparisons = [reproducer.reproduce(original)]
            if as_json:
                print_json(comparison_as_json(comparisons[0]))
            else:
                print_comparison(comparisons[0])
    if any(comparison.verdict not in _GOOD for comparison in comparisons):
        sys.exit(1)


def _originals(store: Store, project: str) -> list[Experiment]:
    rows = store.experiment_table(project).to_pylist()
    return [
        store.experiment(row["experiment_id"])
        for row in rows
        if row["status"] == Status.FINISHED.value and row["reproduces_experiment_id"] is None
    ]


def _reproduce_all(
    reproducer: Reproducer, originals: Sequence[Experiment], as_json: bool
) -> list[Comparison]:
    """Do experiments again, one after the other; each has its line as it ends."""
    width = max((len(original.record.name) for original in originals), default=0)
    comparisons = []
    for original in originals:
        comparisons.append(reproducer.reproduce(original))
        if not as_json:
            print_line(original, comparisons[-1], width)
    if as_json:
        print_json([comparison_as_json(comparison) for comparison in comparisons])
    elif comparisons:
        print_summary(comparisons)
    else:
        click.echo("The project has no finished experiments.")
    return comparisons


def _show(line: str) -> None:
    click.echo(line, err=True)


def _pass_over(line: str) -> None:
    pass
