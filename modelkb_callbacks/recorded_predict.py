"""One call of ``predict`` after a training, as a row of the table ``predictions``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import keras
import numpy as np

from modelkb_callbacks import active_recordings, automatic
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.prediction_log import PredictionLog, log_of
from modelkb_callbacks.rows import are_arrays
from modelkb_store.ids import canonical_json
from modelkb_store.records import PredictionRecord

_SUMMARIZED_VALUES = 100_000


class RecordedPredict:
    """Times one call of ``predict`` and describes what went in and came out."""

    def __init__(self, log: PredictionLog, call: FitCall, source: str) -> None:
        self._log = log
        self._call = call
        self._source = source
        self._created_at = datetime.now(timezone.utc)
        self._began = time.perf_counter()

    @classmethod
    def prepare(
        cls, predict: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> RecordedPredict | None:
        """Follow the call, if the model was trained in a recorded run, or it was asked for."""
        asked_for = automatic.is_asked_for(model)
        recording = active_recordings.last_of_model(model)
        if (recording is None and not asked_for) or (recording is not None and recording.fit_runs):
            return None
        try:
            call = FitCall.bind(predict, model, *args, **kwargs)
            log = log_of(model, recording)
        except Exception:  # noqa: BLE001 - a call that is wrong: Keras itself will say so
            return None
        return None if log is None else cls(log, call, "xpredict" if asked_for else "predict")

    def finish(self, outputs: Any) -> None:
        """Add the row; it is written with others, every few seconds."""
        seconds = time.perf_counter() - self._began
        self._log.guard.run("record a prediction", lambda: self._add(outputs, seconds))

    def _add(self, outputs: Any, seconds: float) -> None:
        x = self._call.arguments["x"]
        arrays = are_arrays(x)
        leaves = keras.tree.flatten(outputs)
        shapes = [_shape(leaf) for leaf in keras.tree.flatten(x)] if arrays else None
        self._log.add(
            PredictionRecord(
                prediction_id=uuid.uuid4().hex,
                experiment_id=self._log.experiment_id,
                model_id=self._log.model_id,
                created_at=self._created_at,
                source=self._source,
                input_shapes=canonical_json(shapes),
                sample_count=len(leaves[0]) if leaves else None,
                batch_size=self._call.batch_size if arrays else None,
                duration_seconds=seconds,
                output_summary=canonical_json([_summary(leaf) for leaf in leaves]),
            )
        )


def _shape(array: Any) -> list[int]:
    return [int(extent) for extent in array.shape]


def _summary(output: Any) -> dict[str, Any]:
    """Describe an output, from evenly spread values where it is large."""
    values = np.asarray(output)
    summary: dict[str, Any] = {"shape": list(values.shape)}
    if values.dtype.kind not in "biuf" or not values.size:
        return summary
    flat = values.reshape(-1)
    sample = flat[:: -(-flat.size // _SUMMARIZED_VALUES)].astype(np.float64)
    figures = {"min": sample.min(), "max": sample.max(), "mean": sample.mean()}
    return summary | {k: float(v) if np.isfinite(v) else str(v) for k, v in figures.items()}
