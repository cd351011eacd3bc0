"""Runs that were never trained, to be compared."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from modelkb_store import Experiment, Store
from modelkb_store.architecture_file import Architecture
from modelkb_store.records import HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import DATASET, ENVIRONMENT, IMPLEMENTATION, experiment_record, metric_record

CURVES = {"loss": [1.0, 0.5, 0.25], "val_loss": [2.0, 1.0, 0.5]}

ARCHITECTURE = Architecture(
    architecture_id="a5" * 16,
    model_config={"class_name": "Sequential", "config": {"name": "sequential", "layers": []}},
    training_config=None,
    keras_version="3.15.1",
    backend="tensorflow",
)

Curves = Mapping[str, Sequence[float]]


@pytest.fixture
def run_factory(store: Path, _no_power_failure: None) -> Callable[..., Experiment]:
    """Records a finished run: its curves, its final weights and what it ran with."""
    numbers = itertools.count(1)

    def make(curves: Curves = CURVES, weights: float | None = 1.0, **changes: Any) -> Experiment:
        described = {
            "environment": ENVIRONMENT,
            "dataset": DATASET,
            "implementation": IMPLEMENTATION,
            **{key: changes.pop(key) for key in list(changes) if key in _ADDED},
        }
        fields = {"seed": 7, "epochs_completed": 3, "status": "finished", "initial": False}
        fields |= changes
        has_initial, callbacks = fields.pop("initial"), fields.pop("callbacks", None)
        record = experiment_record(next(numbers), **fields)
        writer = ExperimentWriter(store, "digits", record)
        _add_curves(writer, curves)
        for what, row in described.items():
            if row is not None:
                getattr(writer, f"add_{what}")(row)
                writer.set(**{f"{what}_id": getattr(row, f"{what}_id")})
        if callbacks is not None:  # and with them all that a script is written from
            writer.add_architecture(ARCHITECTURE, [])
            writer.set(architecture_id=ARCHITECTURE.architecture_id)
            value = json.dumps(callbacks)
            row = HyperparameterRecord(record.experiment_id, "callbacks", value, None, "fit")
            writer.write_hyperparameters([row])
        if weights is not None:
            writer.add_checkpoint("end", lambda path: _write_weights(path, weights))
        if has_initial:
            writer.add_checkpoint("initial", lambda path: _write_weights(path, 0.0))
        writer.save_experiment()
        writer.close()
        return Store(store).experiment(record.experiment_id)

    return make


_ADDED = ("environment", "dataset", "implementation")


def _add_curves(writer: ExperimentWriter, curves: Curves) -> None:
    for name, values in curves.items():
        split = {"val": "validation", "test": "test"}.get(name.partition("_")[0], "train")
        metric = name if split == "train" else name.partition("_")[2]
        for epoch, value in enumerate(values):
            at = len(CURVES["loss"]) - 1 if split == "test" else epoch
            point = metric_record(writer.experiment.experiment_id, at, value)
            writer.append_metrics([_changed(point, split=split, metric=metric)])


def _changed(record: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(record, **changes)


def _write_weights(path: Path, value: float) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("layers/dense/vars")["0"] = np.full((4, 2), value, "float32")
        # The state of a generator, which goes on where training does; it is no weight.
        state = np.array([np.random.default_rng().integers(1 << 30), 0], "uint32")
        file.create_group("layers/dropout/seed_generator/vars")["0"] = state
