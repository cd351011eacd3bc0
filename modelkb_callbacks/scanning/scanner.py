"""Scanning a source: following it, and making records of what was met."""

from __future__ import annotations

import os
from dataclasses import replace

from modelkb_callbacks.scanning.calls import run_uncalled
from modelkb_callbacks.scanning.checks import warnings_of
from modelkb_callbacks.scanning.compile_calls import compile_calls
from modelkb_callbacks.scanning.datasets import datasets
from modelkb_callbacks.scanning.fit_calls import fit_calls
from modelkb_callbacks.scanning.hyperparameters import hyperparameters
from modelkb_callbacks.scanning.machine import Machine
from modelkb_callbacks.scanning.models import models
from modelkb_callbacks.scanning.relevance import Relevance
from modelkb_callbacks.scanning.resolving import Notes
from modelkb_callbacks.scanning.scan import Scan, Unresolved
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.source_code import SourceCode, read_source


def scan(path_or_source: str | os.PathLike[str]) -> Scan:
    r"""Return what a script or notebook says of its training, without running it.

    It never raises for what stands in a source: what cannot be read or followed is in
    :attr:`Scan.unresolved`.

    Args:
        path_or_source: A path object, or a text. A text of one line that names an existing
            file, or ends with ``.py`` or ``.ipynb``, is a path.

    Raises:
        SourceNotFoundError: There is no such file.

    Example:
        >>> scan("import keras\nmodel = keras.Sequential([keras.layers.Dense(3)])").models[0].layers
        ('Dense',)
    """
    return scan_source(read_source(path_or_source))


def scan_source(source: SourceCode) -> Scan:
    """Return what a source that was already read says of its training."""
    machine = Machine()
    problems = [Unresolved("", each.line, each.reason) for each in source.problems]
    too_deep = Unresolved("", 1, "nested too deeply to be followed")
    try:
        machine.run(source.tree.body, Scope())
        run_uncalled(machine)
    except RecursionError:  # whoever calls may be deep in a stack of their own
        problems.append(too_deep)
    try:
        return _records(machine, source, problems)
    except RecursionError:
        return Scan(unresolved=(*problems, too_deep))


def _records(machine: Machine, source: SourceCode, problems: list[Unresolved]) -> Scan:
    findings = machine.findings
    notes = Notes(source.text.split("\n"))
    relevance = Relevance(source.tree, findings.sinks)
    found = Scan(
        datasets=tuple(datasets(findings, relevance.has_call, notes)),
        models=tuple(models(findings, notes)),
        compile=tuple(compile_calls(findings, notes)),
        fit=tuple(fit_calls(findings, notes)),
        hyperparameters=hyperparameters(findings, relevance),
        imports=tuple(sorted(findings.imports)),
    )
    for node in findings.own_loops:
        notes.add(node, "trains in a loop of its own, whose epochs only a run can tell")
    entries = sorted(notes.entries, key=lambda entry: entry.line)
    warnings = warnings_of(findings, notes.lines)
    return replace(found, unresolved=(*problems, *entries), warnings=tuple(warnings))
