"""A project with many short runs of one model, as a sweep leaves it, recorded without Keras."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from modelkb_store.records import EpochRecord, HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ARCHITECTURE,
    DATASET,
    ENVIRONMENT,
    LAYER,
    MODEL,
    STARTED,
    experiment_record,
    metric_record,
)

EPOCHS = 4
OPTIMIZERS = ("adam", "sgd", "rmsprop")


def record_sweep(root: Path, project: str = "sweep", count: int = 12) -> list[str]:
    """Record runs that end well; more learning rate is better, and Adam best.

    Returns:
        Their ids, oldest first.
    """
    return [record_run(root, project, number) for number in range(count)]


def record_run(root: Path, project: str, number: int, **changes: Any) -> str:
    """Record one run of a sweep; the changes are of its experiment's row."""
    record = experiment_record(1000 + number, epochs_planned=EPOCHS, seed=number)
    run, rate = record.experiment_id, 0.001 * (1 + number)
    optimizer = OPTIMIZERS[number % len(OPTIMIZERS)]
    writer = ExperimentWriter(root, project, record)
    writer.add_environment(ENVIRONMENT)
    writer.add_dataset(DATASET)
    writer.add_architecture(ARCHITECTURE, [LAYER])
    writer.add_model(MODEL)
    values = {"learning_rate": rate, "optimizer": optimizer, "batch_size": 16 << (number % 2)}
    writer.write_hyperparameters(
        [
            HyperparameterRecord(
                run,
                name,
                json.dumps(value),
                None if isinstance(value, str) else float(value),
                "compile",
            )
            for name, value in values.items()
        ]
    )
    accuracy = min(0.99, 0.5 + 20 * rate + (0.1 if optimizer == "adam" else 0.0))
    for epoch in range(EPOCHS):
        share = (epoch + 1) / EPOCHS
        points = {
            ("train", "loss"): 1.0 - 0.8 * share,
            ("validation", "loss"): 1.1 - 0.7 * share,
            ("train", "accuracy"): accuracy * share,
            ("validation", "accuracy"): 0.95 * accuracy * share,
        }
        writer.append_metrics(
            [
                metric_record(run, epoch, value, split=split, metric=metric)
                for (split, metric), value in points.items()
            ]
        )
        writer.append_epoch(EpochRecord(run, epoch, STARTED, 1.5, rate, rate))
    settings = {
        "status": "finished",
        "ended_at": record.started_at + timedelta(seconds=30 + number),
        "duration_seconds": 30.0 + number,
        "epochs_completed": EPOCHS,
        "tags": ("baseline",) if number == 0 else (),
        "model_id": MODEL.model_id,
        "architecture_id": ARCHITECTURE.architecture_id,
        "dataset_id": DATASET.dataset_id,
        "environment_id": ENVIRONMENT.environment_id,
    }
    writer.set(**{**settings, **changes})
    writer.save_experiment()
    writer.close()
    return run
