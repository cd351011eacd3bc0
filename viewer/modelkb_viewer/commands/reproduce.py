"""``modelkb reproduce``: an experiment once more, and whether it comes to the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from modelkb_store import Experiment, Store
from modelkb_store.layout import resolve_store_location
from modelkb_store.records import Status
from modelkb_store.reproduction import Comparison, Reproducer, Verdict
from modelkb_viewer.options import experiments_argument, json_option, project_option, store_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar
from modelkb_viewer.reproducer import open_reproducer
from modelkb_viewer.reproduction_facts import comparison_as_json
from modelkb_viewer.reproduction_report import (
    print_comparison,
    print_line,
    print_summary,
)

_GOOD = (Verdict.IDENTICAL, Verdict.CLOSE)


@click.command("reproduce")
@experiments_argument()
@click.option("--all", "all_of", is_flag=True, help="All finished experiments of a project.")
@project_option("The project, for --all.")
@click.option("--isolated", is_flag=True, help="In a fresh environment with the recorded versions.")
@click.option("--keep", metavar="FOLDER", help="Keep the scripts in this folder.")
@store_option
@json_option
def command(
    ids: tuple[str, ...],
    all_of: bool,
    project: str | None,
    isolated: bool,
    keep: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Run experiments again, and compare.

    The script of each is written anew from the store (as by `modelkb regenerate`), RUN in a fresh
    process in the current folder, and recorded as a new experiment. Then curves and weights of
    both are compared to the bit. What the script prints goes to standard error.

    The verdict is `identical`, `close` (every value within 0.1% or 0.00001), `different` or
    `failed`. With --isolated pip installs the recorded versions into a virtual environment, for
    this run only. With --json one ID gives an object; several, or --all, an array.

    Exit codes:
      0  each is identical or close
      1  one is different or failed

    Examples:
      modelkb reproduce 9f1c2b7a4d
      modelkb reproduce --all --project digits --json
    """
    if all_of == bool(ids):
        raise click.UsageError("Give the ID of an experiment, or --all with --project.")
    if all_of != (project is not None):
        raise click.UsageError("--all and --project belong together.")
    location = resolve_store_location(store)
    opened = Store(location)
    originals = (
        [opened.experiment(each) for each in ids]
        if project is None
        else _originals(opened, project)
    )
    is_one = len(ids) == 1
    printed = _show if is_one and not as_json else _pass_over
    with open_reproducer(
        location, keep=keep, isolated=isolated, told=_show, printed=printed
    ) as reproducer:
        if not is_one:
            comparisons = _reproduce_all(reproducer, originals, as_json)
        else:
            comparisons = [reproducer.reproduce(originals[0])]
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
    comparisons: list[Comparison] = []
    with progress_bar("Reproducing experiments") as progress:
        for original in originals:
            progress(len(comparisons), len(originals))
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
