"""What was tried, as rows of the table ``predictions``."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from modelkb_store import Experiment
from modelkb_store.ids import canonical_json
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.records import PredictionRecord
from modelkb_store.transfer.homes import open_home
from modelkb_viewer.prediction.predictor import Predicted

_SOURCE = "viewer"


class TriedPredictions:
    """Writes the predictions that readers of the pages try into a store; threads may share it.

    Args:
        location: The store.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._writers: dict[str, PredictionWriter] = {}

    def add(
        self, experiment: Experiment, inputs: Sequence[np.ndarray[Any, Any]], predicted: Predicted
    ) -> None:
        """Write a row.

        Raises:
            ModelKBError, OSError: The store cannot be written.
        """
        self._writer(experiment).add(
            PredictionRecord(
                prediction_id=uuid.uuid4().hex,
                experiment_id=experiment.id,
                model_id=experiment.record.model_id,
                created_at=datetime.now(timezone.utc),
                source=_SOURCE,
                input_shapes=canonical_json([list(each.shape) for each in inputs]),
                sample_count=len(inputs[0]),
                batch_size=None,
                duration_seconds=predicted.seconds,
                output_summary=canonical_json([_summary(each) for each in predicted.outputs]),
            )
        )

    def _writer(self, experiment: Experiment) -> PredictionWriter:
        with self._lock:
            if experiment.id not in self._writers:
                self._writers[experiment.id] = PredictionWriter(
                    open_home(self._location), experiment.project, experiment.id
                )
            return self._writers[experiment.id]


def _summary(output: np.ndarray[Any, Any]) -> dict[str, Any]:
    summary: dict[str, Any] = {"shape": list(output.shape)}
    if output.dtype.kind not in "biuf" or not output.size:
        return summary
    values = output.astype(np.float64)
    figures = {"min": values.min(), "max": values.max(), "mean": values.mean()}
    return summary | {k: float(v) if np.isfinite(v) else str(v) for k, v in figures.items()}
