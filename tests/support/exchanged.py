"""What must be the same of an experiment that went to another tool and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modelkb_store import Experiment, Store
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.exchange.importing.importers import importer
from modelkb_viewer.exchange.importing.run_import import import_runs


def imported_from(tool: str, path: Path, store: Path, project: str | None = None) -> Experiment:
    """Import the one run that is in a place, and return it."""
    readers = importer(tool)(path, project)
    outcome = import_runs(resolve_store_location(store), tool, readers)
    assert (len(outcome.new), outcome.damaged) == (1, [])
    return Store(store).experiment(outcome.new[0])


def curves(experiment: Experiment, *, precision: type = np.float64) -> dict[tuple, list]:
    """Return the points of each curve, by split and metric."""
    found: dict[tuple, list] = {}
    for row in experiment.metrics().sort_values("epoch").itertuples():
        point = (row.epoch, precision(row.value))
        found.setdefault((row.split, row.metric), []).append(point)
    return found
