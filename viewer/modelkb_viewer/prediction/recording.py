"""What was tried, as rows of the table ``predictions``."""

from __future__ import annotations

import atexit
import logging
import threading
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from modelkb_store import Experiment
from modelkb_store.errors import ModelKBError
from modelkb_store.ids import canonical_json
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.records import PredictionRecord
from modelkb_store.transfer.homes import open_home
from modelkb_viewer.prediction.predictor import Predicted

_FROM_PAGES, _FROM_API = "viewer", "api"
_AFTER_SECONDS = 0.5
_MOST_WAITING = 5_000
_MOST_WRITERS = 64

_log = logging.getLogger(__name__)


class TriedPredictions:
    """Writes the predictions that readers of the pages try into a store; threads may share it.

    Args:
        location: The store.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._writers: OrderedDict[str, PredictionWriter] = OrderedDict()

    def add(
        self, experiment: Experiment, inputs: Sequence[np.ndarray[Any, Any]], predicted: Predicted
    ) -> None:
        """Write a row.

        Raises:
            ModelKBError, OSError: The store cannot be written.
        """
        self.add_all(experiment, [_record_of(experiment, inputs, predicted, _FROM_PAGES)])

    def add_all(self, experiment: Experiment, records: Sequence[PredictionRecord]) -> None:
        """Write rows of one experiment; see :meth:`add`."""
        self._writer(experiment).add_all(records)

    def _writer(self, experiment: Experiment) -> PredictionWriter:
        with self._lock:
            if experiment.id not in self._writers:
                while len(self._writers) >= _MOST_WRITERS:  # its log closes by itself
                    self._writers.popitem(last=False)
                self._writers[experiment.id] = PredictionWriter(
                    open_home(self._location), experiment.project, experiment.id
                )
            self._writers.move_to_end(experiment.id)
            return self._writers[experiment.id]


class LaterPredictions:
    """Writes predictions of the API in groups, soon after they were answered; threads may share it.

    A row takes a disk longer than a small prediction takes a processor. Those that wait are written
    before the process ends, unless it is killed.

    Args:
        tried: Writes them.
        after_seconds: How long the first of a group waits for others.
        most: How many may wait; who adds more writes them all.

    Example:
        >>> later = LaterPredictions(TriedPredictions("modelkb"))
        >>> later.add(experiment, [images], predicted)
    """

    def __init__(
        self,
        tried: TriedPredictions,
        after_seconds: float = _AFTER_SECONDS,
        most: int = _MOST_WAITING,
    ) -> None:
        self._tried = tried
        self._after_seconds = after_seconds
        self._most = most
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[tuple[Experiment, PredictionRecord]] = []
        self._timer: threading.Timer | None = None
        atexit.register(self.write)

    def add(
        self, experiment: Experiment, inputs: Sequence[np.ndarray[Any, Any]], predicted: Predicted
    ) -> None:
        """Have a row written soon."""
        record = _record_of(experiment, inputs, predicted, _FROM_API)
        with self._lock:
            self._waiting.append((experiment, record))
            are_many = len(self._waiting) >= self._most
            if self._timer is None and not are_many:
                self._timer = threading.Timer(self._after_seconds, self.write)
                self._timer.daemon = True
                self._timer.start()
        if are_many:
            self.write()

    def write(self) -> None:
        """Write what waits."""
        with self._writing:
            with self._lock:
                waiting, self._waiting = self._waiting, []
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            groups: dict[str, list[PredictionRecord]] = defaultdict(list)
            for experiment, record in waiting:
                groups[experiment.id].append(record)
            experiments = {experiment.id: experiment for experiment, _ in waiting}
            for experiment_id, records in groups.items():
                # They were answered: that is worth more than the note that they were.
                try:
                    self._tried.add_all(experiments[experiment_id], records)
                except (ModelKBError, OSError) as error:
                    _log.warning("%d predictions could not be recorded: %s", len(records), error)


def _record_of(
    experiment: Experiment,
    inputs: Sequence[np.ndarray[Any, Any]],
    predicted: Predicted,
    source: str,
) -> PredictionRecord:
    """Return the row of a prediction that was made just now."""
    return PredictionRecord(
        prediction_id=uuid.uuid4().hex,
        experiment_id=experiment.id,
        model_id=experiment.record.model_id,
        created_at=datetime.now(timezone.utc),
        source=source,
        input_shapes=canonical_json([list(each.shape) for each in inputs]),
        sample_count=len(inputs[0]),
        batch_size=None,
        duration_seconds=predicted.seconds,
        output_summary=canonical_json([_summary(each) for each in predicted.outputs]),
    )


def _summary(output: np.ndarray[Any, Any]) -> dict[str, Any]:
    summary: dict[str, Any] = {"shape": list(output.shape)}
    if output.dtype.kind not in "biuf" or not output.size:
        return summary
    values = output.astype(np.float64)
    figures = {"min": values.min(), "max": values.max(), "mean": values.mean()}
    return summary | {k: float(v) if np.isfinite(v) else str(v) for k, v in figures.items()}
