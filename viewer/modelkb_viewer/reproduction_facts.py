"""What a reproduction came to, in words for people and as values for programs."""

from __future__ import annotations

from typing import Any

from modelkb_store.reproduction import Comparison, Verdict
from modelkb_viewer.printing import number

_ANSWERS = {True: "the same", False: "not the same", None: "not known"}


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


def comparison_facts(comparison: Comparison) -> dict[str, str]:
    """Return which runs were compared, and how far they agree, by what it is about."""
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
    return {name: value for name, value in facts.items() if value}


def title_of_causes(comparison: Comparison) -> str:
    """Return what stands before the causes."""
    return "because of" if comparison.verdict is Verdict.FAILED else "maybe because of"


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
