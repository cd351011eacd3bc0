"""Makes ``store_v1``, the sample of store format 1 that later versions must read.

Two runs in two projects: one that finished, and one that failed before its first epoch
ended. To stay small the sample leaves out the tables that are like others in kind:
``batch_metrics``, ``datasets`` and ``implementations``. Keras is not needed: its files are
written by hand, as small as they can be, and Keras reads them.

Run it in the checkout of a version that writes format 1, with the folder to make:

    python tests/data/make_store_v1.py tests/data/store_v1
"""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np

from modelkb_store.architecture_file import Architecture
from modelkb_store.records import (
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    HyperparameterRecord,
    LayerRecord,
    MetricRecord,
    ModelRecord,
    NamedValue,
    NamedVersion,
)
from modelkb_store.writer import ExperimentWriter

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
KERNEL = np.arange(8, dtype="float32").reshape(4, 2) / 8
BIAS = np.array([0.5, -0.5], dtype="float32")

ARCHITECTURE = Architecture(
    architecture_id="f6abe19cb3213b3c54e2bdb1ae5507f9",
    model_config={
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "iris",
            "layers": [
                {
                    "module": "keras.layers",
                    "class_name": "InputLayer",
                    "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "flowers"},
                },
                {
                    "module": "keras.layers",
                    "class_name": "Dense",
                    "config": {"name": "kind", "units": 2, "activation": "softmax"},
                    "build_config": {"input_shape": [None, 4]},
                },
            ],
        },
    },
    training_config={"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
    keras_version="3.15.1",
    backend="tensorflow",
)
LAYERS = [
    LayerRecord(
        architecture_id=ARCHITECTURE.architecture_id,
        position=0,
        path="flowers",
        name="flowers",
        class_name="InputLayer",
        inbound=(),
        output_shape="[null,4]",
        dtype="float32",
        trainable=True,
        parameter_count=0,
        trainable_parameter_count=0,
        config=None,
    ),
    LayerRecord(
        architecture_id=ARCHITECTURE.architecture_id,
        position=1,
        path="kind",
        name="kind",
        class_name="Dense",
        inbound=("flowers",),
        output_shape="[null,2]",
        dtype="float32",
        trainable=True,
        parameter_count=10,
        trainable_parameter_count=10,
        config='{"activation":"softmax","name":"kind","units":2}',
    ),
]
ENVIRONMENT = EnvironmentRecord(
    environment_id="a3c2fbd0ae61f518c1488f83930af1a0",
    created_at=STARTED,
    python_version="3.11.9",
    operating_system="Linux 6.1",
    machine="x86_64",
    cpu="A processor",
    cpu_count=2,
    memory_bytes=8_589_934_592,
    gpus=("A GPU",),
    gpu_driver=None,
    cuda_version="12.5.1",
    cudnn_version="9",
    keras_version="3.15.1",
    backend="tensorflow",
    backend_version="2.21.0",
    dtype_policy="float32",
    float_type="float32",
    image_data_format="channels_last",
    deterministic_ops=True,
    inter_op_threads=0,
    intra_op_threads=0,
    distributions=(NamedVersion("keras", "3.15.1"), NamedVersion("numpy", "2.4.6")),
    variables=(NamedValue("TF_DETERMINISTIC_OPS", "1"),),
)
MODEL = ModelRecord(
    model_id="4ab0c1a37712e11abbc05998d98f2dce",
    architecture_id=ARCHITECTURE.architecture_id,
    created_at=STARTED,
    name="iris",
    class_name="Sequential",
    kind="sequential",
    layer_count=2,
    parameter_count=10,
    trainable_parameter_count=10,
    compile_config='{"loss":"sparse_categorical_crossentropy","metrics":["accuracy"],'
    '"optimizer":"sgd"}',
    dataset_id=None,
    implementation_id=None,
    architecture_path="objects/architectures/f6/f6abe19cb3213b3c54e2bdb1ae5507f9.h5",
)


def make_store(root: Path) -> None:
    """Make the store in a folder that is not there yet."""
    _record_finished_run(root)
    _record_failed_run(root)


def _record_finished_run(root: Path) -> None:
    run = ExperimentRecord(
        experiment_id="20260102-030405678-00000000ab",
        name="first try",
        owner="ada",
        status="running",
        started_at=STARTED,
        host="lab",
        process_id=4242,
        modelkb_version="0.1.0",
        seed=7,
        epochs_planned=3,
        tags=("demo", "small"),
        notes="two kinds of flowers",
    )
    writer = ExperimentWriter(root, "iris", run)
    writer.add_environment(ENVIRONMENT)
    writer.add_architecture(ARCHITECTURE, LAYERS)
    writer.add_model(MODEL)
    writer.write_hyperparameters(_hyperparameters(run.experiment_id))
    for epoch in range(3):
        writer.append_metrics(_epoch(run.experiment_id, epoch))
    writer.add_evaluations(_evaluations(run.experiment_id))
    weights = writer.add_weights(_save_weights)
    ended = STARTED + timedelta(seconds=75)
    writer.add_artifacts([dataclasses.replace(weights, created_at=ended)])
    writer.set(
        status="finished",
        ended_at=ended,
        duration_seconds=75.0,
        epochs_completed=3,
        model_id=MODEL.model_id,
        architecture_id=MODEL.architecture_id,
        environment_id=ENVIRONMENT.environment_id,
    )
    writer.save_experiment()


def _record_failed_run(root: Path) -> None:
    run = ExperimentRecord(
        experiment_id="20260203-040506789-00000000cd",
        name="zweiter Versuch",
        owner="ada",
        status="running",
        started_at=STARTED + timedelta(days=32),
        host="lab",
        process_id=4343,
        modelkb_version="0.1.0",
    )
    writer = ExperimentWriter(root, "Wind & Gezeiten", run)
    writer.set(
        status="failed",
        ended_at=run.started_at + timedelta(seconds=1.5),
        duration_seconds=1.5,
        parent_experiment_id="20260102-030405678-00000000ab",
        problems=("stopped by ValueError: the tide is out",),
    )
    writer.save_experiment()


def _hyperparameters(experiment_id: str) -> list[HyperparameterRecord]:
    rows: list[tuple[str, object, float | None, str]] = [
        ("optimizer", "SGD", None, "compile"),
        ("learning_rate", 0.01, 0.01, "compile"),
        ("epochs", 3, 3.0, "fit"),
        ("shuffle", True, 1.0, "fit"),
        ("units", [2], None, "user"),
    ]
    return [
        HyperparameterRecord(experiment_id, name, json.dumps(value), number, source)
        for name, value, number, source in rows
    ]


def _metric(experiment_id: str, epoch: int, split: str, metric: str, value: float) -> MetricRecord:
    return MetricRecord(
        experiment_id=experiment_id,
        epoch=epoch,
        step=4 * (epoch + 1),
        split=split,
        metric=metric,
        value=value,
        wall_time=STARTED + timedelta(seconds=20 * (epoch + 1)),
    )


def _epoch(experiment_id: str, epoch: int) -> list[MetricRecord]:
    return [
        _metric(experiment_id, epoch, "train", "loss", 1 / (epoch + 1)),
        _metric(experiment_id, epoch, "train", "accuracy", (epoch + 1) / 4),
        _metric(experiment_id, epoch, "validation", "loss", 2 / (epoch + 1)),
        _metric(experiment_id, epoch, "validation", "auc", float("nan")),
    ]


def _evaluations(experiment_id: str) -> list[EvaluationRecord]:
    common = {
        "experiment_id": experiment_id,
        "split": "validation",
        "source": "validation_pass",
        "sample_count": 50,
        "sampled": False,
        "created_at": STARTED + timedelta(seconds=70),
        "epoch": 2,
    }
    return [
        EvaluationRecord(
            **common,
            output="kind",
            task="classification",
            class_names=("setosa", "virginica"),
            confusion_matrix=((20, 5), (0, 25)),
            precision=(1.0, 25 / 30),
            recall=(0.8, 1.0),
            f1=(8 / 9, 10 / 11),
            support=(25, 25),
            accuracy=0.9,
        ),
        EvaluationRecord(
            **common,
            output="height",
            task="regression",
            r2=0.5,
            mae=1.25,
            rmse=1.5,
            residual_edges=(-1.0, 0.0, 1.0),
            residual_counts=(24, 26),
        ),
    ]


def _save_weights(path: Path) -> None:
    """Write what ``model.save_weights`` writes, in HDF5's compact layout."""
    with h5py.File(path, "w", libver="latest") as file:
        variables = file.create_group("layers/dense/vars")
        variables.create_dataset("0", data=KERNEL)
        variables.create_dataset("1", data=BIAS)


if __name__ == "__main__":
    make_store(Path(sys.argv[1]))
