"""What a reproduction came to, printed for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from modelkb_store import Experiment
from modelkb_store.reproduction import Cause, Comparison, Verdict
from modelkb_viewer.reproduction_facts import comparison_facts, curves_text, title_of_causes

_COLOURS = {
    Verdict.IDENTICAL: "green",
    Verdict.CLOSE: "yellow",
    Verdict.DIFFERENT: "red",
    Verdict.FAILED: "red",
}
_INDENT = " " * 18
_LONGEST_CAUSE = 100


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison: the verdict, what was compared, where it parts, and why maybe."""
    click.echo(f"{'verdict':<18}{_verdict(comparison.verdict, bold=True)}")
    for name, value in comparison_facts(comparison).items():
        click.echo(f"{name:<18}{value}")
    name = title_of_causes(comparison)
    for cause in comparison.causes:
        click.echo(f"{name:<18}{str(cause).replace(chr(10), chr(10) + _INDENT)}")
        name = ""


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
