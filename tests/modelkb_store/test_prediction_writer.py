from __future__ import annotations

import dataclasses
from pathlib import Path

from modelkb_store import Experiment, Store
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.records import PredictionRecord
from modelkb_store.transfer.homes import open_home
from small_experiment import STARTED


def _record(experiment: Experiment, prediction_id: str = "p1") -> PredictionRecord:
    return PredictionRecord(
        prediction_id=prediction_id,
        experiment_id=experiment.id,
        model_id=experiment.record.model_id,
        created_at=STARTED,
        source="viewer",
        input_shapes="[[1,4]]",
        sample_count=1,
        batch_size=None,
        duration_seconds=0.25,
        output_summary=None,
    )


def test_predictions_can_be_read_at_once(recorded_experiment: Experiment, store: Path) -> None:
    before = len(recorded_experiment.predictions())
    writer = PredictionWriter(open_home(store), recorded_experiment.project, recorded_experiment.id)
    writer.add(_record(recorded_experiment))
    writer.add(dataclasses.replace(_record(recorded_experiment), prediction_id="p2"))
    rows = Store(store).experiment(recorded_experiment.id).predictions()
    assert list(rows["prediction_id"][before:]) == ["p1", "p2"]
    assert rows["source"].iloc[-1] == "viewer"


def test_a_log_that_another_process_folded_is_followed_by_another(
    recorded_experiment: Experiment, store: Path
) -> None:
    writer = PredictionWriter(open_home(store), recorded_experiment.project, recorded_experiment.id)
    writer.add(_record(recorded_experiment))
    assert writer._log is not None
    writer._log.close()
    writer.add(_record(recorded_experiment, "p2"))
    rows = Store(store).experiment(recorded_experiment.id).predictions()
    assert {"p1", "p2"} <= set(rows["prediction_id"])
