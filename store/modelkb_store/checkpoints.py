"""The checkpoints of one experiment, as Keras weights files."""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from modelkb_store.backend import TableReader
from modelkb_store.errors import ArtifactNotFoundError
from modelkb_store.metric_direction import higher_is_better
from modelkb_store.weights.checkpoint import restore_checkpoint

_INITIAL, _END, _BEST, _EPOCH = "initial", "end", "best", "epoch"


class Checkpoints:
    """Finds a checkpoint and puts its file together from the packs that hold its variables.

    Args:
        tables: The store.
        project: The experiment's project.
        experiment_id: The experiment.
        why_none: Says why it may have none.
    """

    def __init__(
        self, tables: TableReader, project: str, experiment_id: str, why_none: Callable[[str], str]
    ) -> None:
        self._tables = tables
        self._project = project
        self._id = experiment_id
        self._why_none = why_none

    @contextlib.contextmanager
    def as_file(self, checkpoint: str | int | None) -> Iterator[Path]:
        """Give a checkpoint as a ``.weights.h5`` file, which is gone after the block."""
        with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
            path = Path(folder) / "model.weights.h5"
            self.write(path, checkpoint)
            yield path

    def write(self, path: Path, checkpoint: str | int | None) -> None:
        """Write a checkpoint as a ``.weights.h5`` file.

        Raises:
            ArtifactNotFoundError: There is no such checkpoint, or what it needs is gone.
            CorruptFileError: A pack of variables is damaged.
        """
        chosen = self._find(checkpoint)
        if chosen is None:
            self._copy_file_of_version_1(path)
            return
        # Looked up and read in one: packs are merged, too.
        self._tables.consistently(lambda tables: self._restore(tables, chosen, path))

    def _restore(self, tables: TableReader, chosen: dict[str, Any], path: Path) -> None:
        ids = chosen["variable_ids"]
        where = {"variable_id": sorted(set(ids))}
        rows = tables.read("variables", self._project, ["variable_id", "pack_path"], where=where)
        packs = dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        missing = sorted(set(ids) - set(packs))
        if missing:
            reason = f"{len(missing)} of its variables are not in the store ({missing[0]}, ..)"
            raise ArtifactNotFoundError(self._id, "weights", reason)
        restore_checkpoint(
            chosen["structure"], chosen["variable_paths"], ids, packs, tables.files.open, path
        )

    def _find(self, wanted: str | int | None) -> dict[str, Any] | None:
        """Return the row of a checkpoint; None if a file of format 1 takes its place."""
        rows = self._tables.of_experiment("checkpoints", self._project, self._id)
        found: list[dict[str, Any]] = rows.sort_by("created_at").to_pylist()
        if wanted is None:
            of_kind = [[row for row in found if row["kind"] == kind] for kind in (_END, _BEST)]
            trained = [row for row in found if row["kind"] != _INITIAL]
            matching = next((rows for rows in of_kind if rows), trained)
        elif isinstance(wanted, int):
            matching = [row for row in found if row["epoch"] == wanted]
            if not matching and any(row["kind"] == _END for row in found):
                matching = self._end_if_it_is_of(wanted, found)
        else:
            matching = [row for row in found if row["kind"] == wanted]
            if wanted == _BEST:  # of a run that was resumed there are several
                matching.sort(key=_goodness)
        if matching:
            return matching[-1]
        if wanted in (None, _END) and self._path_of_version_1() is not None:
            return None
        raise ArtifactNotFoundError(self._id, "weights", self._reason(wanted, found))

    def _end_if_it_is_of(self, epoch: int, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        epochs = self._tables.of_experiment("epochs", self._project, self._id)["epoch"]
        is_last = len(epochs) > 0 and pc.max(epochs).as_py() == epoch
        return [row for row in found if row["kind"] == _END] if is_last else []

    def _reason(self, wanted: str | int | None, found: list[dict[str, Any]]) -> str:
        if not found:
            return self._why_none("recorded with save_weights=False")
        if wanted is None:
            return self._why_none("only those of its start were kept")
        results_first = sorted(found, key=lambda row: row["kind"] == _INITIAL)
        names = [
            row["kind"] if row["kind"] != _EPOCH else f"epoch {row['epoch']}"
            for row in results_first
        ]
        return f"there is no checkpoint {wanted!r}, only {', '.join(names)}"

    def _path_of_version_1(self) -> str | None:
        artifacts = self._tables.of_experiment("artifacts", self._project, self._id)
        paths = artifacts.filter(pc.equal(artifacts["kind"], "weights"))["path"].to_pylist()
        return paths[-1] if paths else None

    def _copy_file_of_version_1(self, path: Path) -> None:
        recorded = self._path_of_version_1()
        try:
            with self._tables.files.open(recorded or "") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        except FileNotFoundError as error:
            raise ArtifactNotFoundError(self._id, "weights", f"{recorded} is missing") from error


def _goodness(row: dict[str, Any]) -> float:
    value = -math.inf if row["value"] is None else float(row["value"])
    return value if higher_is_better(row["metric"] or "") else -value
