"""The calls that load data."""

from __future__ import annotations

import ast
from collections.abc import Callable

from modelkb_callbacks.scanning.findings import Findings
from modelkb_callbacks.scanning.origins import DataPart
from modelkb_callbacks.scanning.own_data import own_data, trained_on
from modelkb_callbacks.scanning.resolving import Notes, position_of
from modelkb_callbacks.scanning.scan import ScannedDataset

_MOST_SOURCES = 8
# What may as well hold weights or a configuration.
_FILES = {
    "h5py.File",
    "joblib.load",
    "json.load",
    "keras.utils.get_file",
    "numpy.load",
    "open",
    "pickle.load",
}


def datasets(
    findings: Findings, is_used: Callable[[ast.AST], bool], notes: Notes
) -> list[ScannedDataset]:
    """Return the records of all calls that load data, one for each source.

    Args:
        findings: What was met.
        is_used: Whether what a call gives goes into a training.
        notes: Where to note sources that are not known.
    """
    by_call: dict[ast.AST, dict[ScannedDataset, None]] = {}
    no_data = _no_data(findings)
    for event in (*findings.loads, *own_data(findings)):
        if event.needs_use and not is_used(event.node):
            continue
        if (event.loader, event.node.lineno) in no_data:
            continue
        record = ScannedDataset(event.loader, event.name, event.source, event.node.lineno)
        records = by_call.setdefault(event.node, {})
        if len(records) < _MOST_SOURCES:
            records[record] = None
        if event.source is None and event.path_node is not None:
            notes.add(event.path_node, event.reason or "a source known only in a run")
    found = []
    for node in sorted(by_call, key=position_of):
        records = by_call[node]
        loaders = sorted({each.loader for each in records})
        if len(loaders) > 1:
            notes.add(node, "one of several: " + ", ".join(loaders))
        known = [each for each in records if each.source is not None]
        found += known or list(records)
    return found


def _no_data(findings: Findings) -> set[tuple[str, int]]:
    """Return which loads give weights or a configuration of a model, and nothing else."""
    return {
        (origin.loader, origin.line)
        for origin in findings.no_data - trained_on(findings)
        if isinstance(origin, DataPart) and origin.loader in _FILES
    }
