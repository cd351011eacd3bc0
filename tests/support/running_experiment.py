"""An experiment that goes on: this process is recording it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from modelkb_store.records import HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record

EPOCHS = 10


@dataclass
class RunningExperiment:
    """One that is being recorded.

    Attributes:
        experiment_id: Its id.
        writer: What records it.
        epochs: How many epochs are done.
    """

    experiment_id: str
    writer: ExperimentWriter
    epochs: int = 0

    def end_epoch(self) -> None:
        """Record one more epoch, in which the model gets better."""
        value = 0.5 + 0.04 * self.epochs
        points = {
            ("train", "loss"): 1 - value,
            ("train", "accuracy"): value,
            ("validation", "loss"): 1.1 - value,
            ("validation", "accuracy"): value - 0.05,
        }
        self.writer.append_metrics(
            [
                metric_record(self.experiment_id, self.epochs, value, split=split, metric=metric)
                for (split, metric), value in points.items()
            ]
        )
        self.epochs += 1
        self.writer.set(epochs_completed=self.epochs)
        self.writer.save_experiment()


@contextlib.contextmanager
def running_experiment(
    root: Path, project: str = "sweep", number: int = 5000
) -> Iterator[RunningExperiment]:
    """Record an experiment of one epoch so far; it ends well when the block does.

    Args:
        root: The store.
        project: Its project.
        number: Tells it from others.
    """
    record = experiment_record(
        number, started_at=datetime.now(timezone.utc), epochs_planned=EPOCHS, seed=number
    )
    run = RunningExperiment(record.experiment_id, ExperimentWriter(root, project, record))
    values = {"learning_rate": 0.01, "optimizer": "adam", "batch_size": 32}
    run.writer.write_hyperparameters(
        [
            HyperparameterRecord(
                run.experiment_id,
                name,
                json.dumps(value),
                None if isinstance(value, str) else float(value),
                "compile",
            )
            for name, value in values.items()
        ]
    )
    run.end_epoch()
    yield run
    run.writer.set(status="finished", ended_at=datetime.now(timezone.utc), duration_seconds=1.0)
    run.writer.save_experiment()
    run.writer.close()
