"""Which experiment some weights came out of, found by the weights alone."""

from __future__ import annotations

from pathlib import PurePosixPath

from modelkb_store.commits.manifest import is_compacted
from modelkb_store.file_rows import project_of, read_rows
from modelkb_store.files.files import Files
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently

_TABLE = "trained_weights"


def find_trained(files: Files, weights_id: str) -> tuple[str, str] | None:
    """Return the project and id of the experiment that some weights came out of.

    Args:
        files: The store.
        weights_id: An id of the weights by their content; see FORMAT.md.

    Returns:
        None if none is known; of several the one that had them first.

    Raises:
        CorruptFileError: A file of the table is damaged.
    """
    where = {"weights_id": [weights_id]}

    def look(snapshot: Snapshot) -> list[tuple[str, str]]:
        found = []
        for info in snapshot.table_files(_TABLE):
            # A loose file is named by the weights that it tells of.
            if is_compacted(info.path) or PurePosixPath(info.path).stem == weights_id:
                rows = read_rows(files, info.path, _TABLE, SCHEMAS[_TABLE].names, where)
                found += [(run, project_of(info.path)) for run in rows["experiment_id"].to_pylist()]
        for log in snapshot.logs:
            for row in log.added(_TABLE).to_pylist():
                if row["weights_id"] == weights_id:
                    found.append((row["experiment_id"], project_of(log.name.segment(0))))
        return found

    first = min(consistently(files, look, log_tables=[_TABLE]), default=None)
    return None if first is None else (first[1], first[0])
