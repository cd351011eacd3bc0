"""What a reproduction came to, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from modelkb_store import Experiment
from modelkb_store.reproduction import Cause, Comparison, Verdict
from modelkb_viewer.printing import number

_COLOURS = {
    Verdict.IDENTICAL: "green",
    Verdict.CLOSE: "yellow",
    Verdict.DIFFERENT: "red",
    Verdict.FAILED: "red",
}
_ANSWERS = {True: "the same", False: "not the same", None: "not known"}
_INDENT = " " * 18
_LONGEST_CAUSE = 100


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    first = comparison.first_difference
    return {
        "experiment": comparison.experiment_id,
        "reproduction": comparison.reproduction_id,
        "verdict": comparison.verdict.value,
        "max_difference": comparison.max_difference,
        "first_difference": None
        if first is None
        else {"metric": first.metric, "epoch": first.epoch},
        "causes": [str(cause) for cause in comparison.causes],
        "same_architecture": comparison.same_architecture,
        "same_initial_weights": comparison.same_initial_weights,
        "same_final_weights": comparison.same_final_weights,
        "compared_values": comparison.compared_values,
        "not_compared": list(comparison.not_compared),
    }


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison: the verdict, what was compared, where it parts, and why maybe."""
    facts = {
        "experiment": comparison.experiment_id,
        "reproduction": comparison.reproduction_id or "nothing was recorded",
    }
    if comparison.reproduction_id is not None:
        facts |= {
            "architecture": _ANSWERS[comparison.same_architecture],
            "initial weights": _ANSWERS[comparison.same_initial_weights],
            "curves": curves_text(comparison),
            "final weights": _ANSWERS[comparison.same_final_weights],
            "not compared": ", ".join(comparison.not_compared),
        }
    click.echo(f"{'verdict':<18}{_verdict(comparison.verdict, bold=True)}")
    for name, value in facts.items():
        if value:
            click.echo(f"{name:<18}{value}")
    name = "because of" if comparison.verdict is Verdict.FAILED else "maybe because of"
    for cause in comparison.causes:
        click.echo(f"{name:<18}{str(cause).replace(chr(10), chr(10) + _INDENT)}")
        name = ""


def curves_text(comparison: Comparison) -> str:
    """Return how far the curves agree."""
    count = comparison.compared_values
    if not count:
        return "no values to compare"
    first = comparison.first_difference
    if first is None:
        return f"{count:,} values, all equal to the bit"
    return (
        f"{count:,} values, which differ by up to {number(comparison.max_difference)}, "
        f"first in {first.metric} of epoch {first.epoch}"
    )


def print_line(original: Experiment, comparison: Comparison, width: int) -> None:
    """Print a comparison in one line, as a row of a table.

    Args:
        original: The experiment that was done again.
        comparison: What came of it.
        width: That of the column of names.
    """
    short = original.id.rpartition("-")[2]
    verdict = comparison.verdict
    detail = curves_text(comparison) if comparison.reproduction_id else ""
    if comparison.causes:
        detail = "; ".join(filter(None, [detail, _short(comparison.causes[0])]))
    padding = " " * (10 - len(verdict.value))
    click.echo(f"{short}  {original.record.name:<{width}}  {_verdict(verdict)}{padding}  {detail}")


def print_summary(comparisons: Iterable[Comparison]) -> None:
    """Print how many came to which verdict."""
    counts = Counter(comparison.verdict for comparison in comparisons)
    total = sum(counts.values())
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]]
    click.echo(f"{total} experiment{'s' * (total != 1)}: {', '.join(parts)}.")


def _short(cause: Cause) -> str:
    """Return a cause in one line; of an error the last one says most."""
    line = cause.text.splitlines()[-1].strip()
    return f"{cause.kind}: {line[:_LONGEST_CAUSE]}"


def _verdict(verdict: Verdict, *, bold: bool = False) -> str:
    return click.style(verdict.value, fg=_COLOURS[verdict], bold=bold)
