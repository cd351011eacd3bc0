"""The tools whose runs can come in, by the names they have on the command line."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from modelkb_viewer.exchange.importing.imported_run import RunReader

# Name to module, which is imported only when it is used. To add one, write a module with a
# function `find_runs` as below.
IMPORTERS = {
    "csv": "csv_files",
    "mlflow": "mlflow_runs",
    "tensorboard": "tensorboard_logs",
}


class Importer(Protocol):
    """The function ``find_runs`` of a module."""

    def __call__(self, path: Path, project: str | None) -> Sequence[RunReader]:
        """Find the runs in a place, and what may be some; each is read when its reader is called.

        Args:
            path: The file or folder.
            project: The project to put them into; by default the tool's own grouping, else the
                folder's name.

        Raises:
            NothingToImportError: There is no run of this tool.
            MissingPackageError: The tool's own library is needed and not installed.
        """
        ...


def importer(name: str) -> Importer:
    """Return the function that finds the runs of a tool.

    Args:
        name: One of ``IMPORTERS``.
    """
    module = importlib.import_module(f"{__package__}.{IMPORTERS[name]}")
    return cast(Importer, module.find_runs)
