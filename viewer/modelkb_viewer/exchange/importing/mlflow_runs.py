"""The runs of a local store of MLflow, without MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelkb_viewer.exchange.errors import NothingToImportError
from modelkb_viewer.exchange.importing.imported_run import RunReader
from modelkb_viewer.exchange.importing.mlflow_database import is_database, runs_of_database
from modelkb_viewer.exchange.importing.mlflow_folder import is_mlruns, runs_of_folder

_DATABASE, _MLRUNS = "mlflow.db", "mlruns"


def find_runs(path: Path, project: str | None) -> Sequence[RunReader]:
    """Find the runs of a database, of ``mlruns``, or of the folder that has one of them.

    See :class:`.importers.Importer`. Runs that are deleted in MLflow are left out.
    """
    for place in (path, path / _DATABASE):
        if is_database(place):
            return runs_of_database(place, project)
    for place in (path, path / _MLRUNS):
        if is_mlruns(place):
            return runs_of_folder(place, project)
    expected = f"an SQLite database such as {_DATABASE}, or a folder such as {_MLRUNS}"
    raise NothingToImportError("MLflow", path, expected)
