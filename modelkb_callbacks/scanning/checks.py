"""Probable mistakes that the source alone shows, and comments that silence them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from modelkb_callbacks.scanning.findings import Findings
from modelkb_callbacks.scanning.scan import ScanWarning

CODES = {
    "from-logits": "from_logits of the loss is at odds with the last layer",
    "loss-activation": "the loss contradicts the activation of the last layer",
    "loss-labels": "the loss contradicts the form of the labels",
    "metric-task": "a metric does not fit the loss",
    "test-as-validation": "the test set is used as validation data",
    "unseeded-shuffle": "data is shuffled, and no seed is set anywhere",
    "unseeded-split": "data is split at random, and no seed is set anywhere",
}
_SILENCE = re.compile(r"#\s*modelkb:\s*ignore(-file)?(?:\s*\[([\w\s,-]*)\])?")


@dataclass(frozen=True, slots=True, eq=False)
class Concern:
    """A probable mistake.

    Attributes:
        code: Which one, of :data:`CODES`.
        message: What is wrong, with names.
        node: Where.
    """

    code: str
    message: str
    node: ast.AST


def warnings_of(findings: Findings, lines: list[str]) -> list[ScanWarning]:
    """Return the warnings of a source, without those that its comments silence.

    Args:
        findings: What was met in it.
        lines: Its lines.
    """
    from modelkb_callbacks.scanning.check_data import check_data
    from modelkb_callbacks.scanning.check_outputs import check_outputs

    concerns: Iterable[Concern] = (*check_data(findings), *check_outputs(findings))
    silenced = _silenced(lines)
    found = {
        ScanWarning(concern.code, concern.message, getattr(concern.node, "lineno", 0))
        for concern in concerns
        if not _is_silenced(concern, silenced)
    }
    return sorted(found, key=lambda each: (each.line, each.code, each.message))


def _silenced(lines: list[str]) -> dict[int, set[str]]:
    """Return the silenced codes by line, 0 for the whole file; of a bare comment all codes."""
    silenced: dict[int, set[str]] = {}
    for number, line in enumerate(lines, 1):
        if "modelkb" not in line:
            continue
        for whole_file, codes in _SILENCE.findall(line):
            named = {code.strip() for code in codes.split(",") if code.strip()}
            silenced.setdefault(0 if whole_file else number, set()).update(named or CODES)
    return silenced


def _is_silenced(concern: Concern, silenced: dict[int, set[str]]) -> bool:
    first = getattr(concern.node, "lineno", 0)
    last = getattr(concern.node, "end_lineno", None) or first
    return any(
        concern.code in codes
        for line, codes in silenced.items()
        if line == 0 or first <= line <= last
    )
