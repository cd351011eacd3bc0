from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

from modelkb_store import Experiment
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.records import PredictionRecord
from modelkb_store.transfer.homes import open_home
from modelkb_viewer.content.predictions import recent_predictions
from small_experiment import STARTED

RECORD = PredictionRecord(
    prediction_id="p0",
    experiment_id=None,
    model_id=None,
    created_at=STARTED,
    source="viewer",
    input_shapes="[[2,8,8,1],[2,null]]",
    sample_count=2,
    batch_size=None,
    duration_seconds=0.25,
    output_summary='[{"shape":[2,3],"min":0.1,"max":14936.21,"mean":1.0},{"shape":[2]}]',
)


def test_the_latest_predictions_come_first(recorded_experiment: Experiment, store: Path) -> None:
    writer = PredictionWriter(open_home(store), recorded_experiment.project, recorded_experiment.id)
    for number in range(4):
        writer.add(
            dataclasses.replace(
                RECORD,
                prediction_id=f"p{number}",
                experiment_id=recorded_experiment.id,
                created_at=STARTED + timedelta(days=365 + number),
                duration_seconds=float(number),
            )
        )
    writer.add(
        dataclasses.replace(
            RECORD,
            experiment_id=recorded_experiment.id,
            prediction_id="old",
            input_shapes="null",
            output_summary=None,
        )
    )
    frame = recent_predictions(recorded_experiment, limit=4)
    assert frame["Seconds"].tolist() == [3.0, 2.0, 1.0, 0.0]
    assert frame["Input shapes"][0] == "2 x 8 x 8 x 1, 2 x ?"
    assert frame["Outputs"][0] == "0.1..14,940; "
    assert recent_predictions(recorded_experiment)["Input shapes"].iloc[-1] == ""
