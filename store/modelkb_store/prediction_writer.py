"""Writing the predictions that a process makes with the model of an experiment."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from modelkb_store.log.experiment_log import ExperimentLog
from modelkb_store.log.log_home import LogHome
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.records import PredictionRecord

_CLOSES_AFTER_SECONDS = 5.0


class PredictionWriter:
    """The predictions that one process makes with one model.

    Rows can be read at once, and are in Parquet files some seconds after the last of them.
    Threads may share it.

    Args:
        home: The store; see :func:`modelkb_store.transfer.homes.open_home`.
        project: The project to write to.
        experiment_id: The experiment that trained the model, if it is known.

    Example:
        >>> writer = PredictionWriter(open_home("modelkb"), run.project, run.id)
        >>> writer.add(record)
    """

    def __init__(self, home: LogHome, project: str, experiment_id: str | None) -> None:
        self.experiment_id = experiment_id
        self._home = home
        self._folder = project_folder(project)
        self._lock = threading.Lock()
        self._process_id: int | None = None
        self._log: ExperimentLog | None = None

    def add(self, record: PredictionRecord) -> None:
        """Write a row; see :meth:`add_all`."""
        self.add_all([record])

    def add_all(self, records: Sequence[PredictionRecord]) -> None:
        """Write rows.

        Raises:
            OSError: The store cannot be written.
            ValueError, TypeError: A record has a value that its column cannot hold.
        """
        with self._lock:
            log = self._log
            # A fork begins a log of its own, and so does what comes after a pause.
            if log is None or self._process_id != os.getpid() or not self._append(log, records):
                self._log = log = self._open()
                self._append(log, records)

    def _append(self, log: ExperimentLog, records: Sequence[PredictionRecord]) -> bool:
        return log.add("predictions", records)

    def _open(self) -> ExperimentLog:
        self._process_id = os.getpid()
        name = LogName.further(self._folder, self.experiment_id or "unknown")
        return ExperimentLog(
            self._home, name, self.experiment_id, closes_when_idle=_CLOSES_AFTER_SECONDS
        )
