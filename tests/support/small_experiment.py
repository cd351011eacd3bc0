"""A small experiment that has a row in every table, recorded without Keras."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from modelkb_store.architecture_file import Architecture
from modelkb_store.records import (
    DatasetRecord,
    EnvironmentRecord,
    EpochRecord,
    EvaluationRecord,
    ExperimentRecord,
    HyperparameterRecord,
    ImplementationRecord,
    LayerRecord,
    MetricRecord,
    ModelRecord,
    NamedValue,
    NamedVersion,
    RandomStateRecord,
    ResourceRecord,
)
from modelkb_store.table_file import decode_rows, records_of
from modelkb_store.writer import ExperimentWriter

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
EPOCHS = 3
KERNEL = np.arange(8, dtype="float32").reshape(4, 2)
TRAINED_WEIGHTS = "77" * 16
CONSOLE = b"Epoch 1/3\n"

ARCHITECTURE = Architecture(
    architecture_id="a1" * 16,
    model_config={"class_name": "Sequential", "config": {"name": "digits", "layers": []}},
    training_config={"loss": "mse", "optimizer": "adam"},
    keras_version="3.15.1",
    backend="tensorflow",
)
LAYER = LayerRecord(
    architecture_id=ARCHITECTURE.architecture_id,
    position=0,
    path="dense",
    name="dense",
    class_name="Dense",
    inbound=("input",),
    output_shape="[null, 2]",
    dtype="float32",
    trainable=True,
    parameter_count=10,
    trainable_parameter_count=8,
    config='{"units":2}',
)
DATASET = DatasetRecord(
    dataset_id="d1" * 16,
    created_at=STARTED,
    kind="arrays",
    inputs='[{"dtype":"float32","name":"x","shape":[4]}]',
    targets='[{"dtype":"int64","name":"y","shape":[]}]',
    sample_count=1500,
    batch_count=47,
    class_names=("cat", "dog"),
    fingerprint="f1" * 16,
    fingerprint_sample_count=100,
)
VALIDATION_DATASET = DatasetRecord(
    dataset_id="d2" * 16,
    created_at=STARTED,
    kind="arrays",
    inputs=None,
    targets=None,
    sample_count=50,
    batch_count=2,
    class_names=None,
    fingerprint=None,
    fingerprint_sample_count=None,
)
IMPLEMENTATION = ImplementationRecord(
    implementation_id="b1" * 16,
    created_at=STARTED,
    script="train.py",
    model_class=None,
    definitions="import keras\n",
)
ENVIRONMENT = EnvironmentRecord(
    environment_id="e1" * 16,
    created_at=STARTED,
    python_version="3.11.9",
    operating_system="Linux 6.1",
    machine="x86_64",
    cpu="a processor",
    cpu_count=2,
    memory_bytes=8 << 30,
    gpus=("a GPU", "another GPU"),
    gpu_driver=None,
    cuda_version=None,
    cudnn_version=None,
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
    model_id="c1" * 16,
    architecture_id=ARCHITECTURE.architecture_id,
    created_at=STARTED,
    name="digits",
    class_name="Sequential",
    kind="sequential",
    layer_count=1,
    parameter_count=12345,
    trainable_parameter_count=12000,
    compile_config='{"loss":"mse"}',
    dataset_id=DATASET.dataset_id,
    implementation_id=IMPLEMENTATION.implementation_id,
    architecture_path="objects/architectures/a1/" + "a1" * 16 + ".h5",
)


def experiment_record(number: int = 1, **changes: Any) -> ExperimentRecord:
    """An experiment as it begins; a higher number sorts later."""
    fields = {
        "experiment_id": f"20260102-030405678-{number:010x}",
        "name": f"run-{number}",
        "owner": "ada",
        "status": "running",
        "started_at": STARTED + timedelta(minutes=number),
        "host": "lab",
        "process_id": 4242,
        "modelkb_version": "0.1.0",
    }
    return ExperimentRecord(**{**fields, **changes})


def metric_record(experiment_id: str, epoch: int, value: float, **changes: Any) -> MetricRecord:
    """One point of the training loss, or what the changes make of it."""
    fields = {
        "experiment_id": experiment_id,
        "epoch": epoch,
        "step": (epoch + 1) * 10,
        "split": "train",
        "metric": "loss",
        "value": value,
        "wall_time": STARTED + timedelta(seconds=epoch),
    }
    return MetricRecord(**{**fields, **changes})


def record_complete_experiment(
    root: Path, project: str = "digits", number: int = 1, **changes: Any
) -> ExperimentWriter:
    """Record an experiment from its beginning to its end, with rows in every table."""
    record = experiment_record(number, seed=7, epochs_planned=EPOCHS, **changes)
    writer = ExperimentWriter(root, project, record)
    writer.add_environment(ENVIRONMENT)
    writer.add_dataset(DATASET)
    writer.add_dataset(VALIDATION_DATASET)
    writer.add_implementation(IMPLEMENTATION)
    writer.add_architecture(ARCHITECTURE, [LAYER])
    writer.add_model(MODEL)
    writer.write_hyperparameters(
        [
            HyperparameterRecord(record.experiment_id, "learning_rate", "0.001", 0.001, "compile"),
            HyperparameterRecord(record.experiment_id, "epochs", "3", 3.0, "fit"),
            HyperparameterRecord(record.experiment_id, "optimizer", '"adam"', None, "compile"),
        ]
    )
    for epoch in range(EPOCHS):
        writer.append_metrics(_rows_of_epoch(record.experiment_id, epoch))
        writer.append_epoch(EpochRecord(record.experiment_id, epoch, STARTED, 1.5, 0.01, 0.005))
    writer.append_resources([ResourceRecord(record.experiment_id, STARTED, 99.5, 1 << 30, (), ())])
    writer.write_random_states(
        [RandomStateRecord(record.experiment_id, "python", "[3,[1,2],null]")]
    )
    writer.append_batch_metrics([metric_record(record.experiment_id, 0, 0.75, step=1)])
    writer.add_evaluations(_evaluations(record.experiment_id))
    writer.add_checkpoint("end", write_weights)
    writer.add_trained_weights(TRAINED_WEIGHTS)
    writer.add_artifacts(
        [writer.add_file("console", "console.txt", lambda path: _write(path, CONSOLE))]
    )
    writer.set(
        status="finished",
        ended_at=record.started_at + timedelta(seconds=75),
        duration_seconds=75.0,
        epochs_completed=EPOCHS,
        model_id=MODEL.model_id,
        architecture_id=ARCHITECTURE.architecture_id,
        dataset_id=DATASET.dataset_id,
        validation_dataset_id=VALIDATION_DATASET.dataset_id,
        implementation_id=IMPLEMENTATION.implementation_id,
        environment_id=ENVIRONMENT.environment_id,
    )
    writer.save_experiment()
    writer.close()
    return writer


def _rows_of_epoch(experiment_id: str, epoch: int) -> list[MetricRecord]:
    return [
        metric_record(experiment_id, epoch, 1 / (epoch + 1)),
        metric_record(experiment_id, epoch, 2 / (epoch + 1), split="validation"),
        metric_record(experiment_id, epoch, 0.25 * (epoch + 1), metric="accuracy"),
    ]


def _evaluations(experiment_id: str) -> list[EvaluationRecord]:
    return [
        EvaluationRecord(
            experiment_id=experiment_id,
            split="validation",
            output="kind",
            task="classification",
            source="validation_pass",
            sample_count=50,
            sampled=False,
            created_at=STARTED,
            epoch=EPOCHS - 1,
            class_names=("cat", "dog"),
            confusion_matrix=((20, 5), (3, 22)),
            precision=(20 / 23, 22 / 27),
            recall=(0.8, 0.88),
            f1=(0.8333, 0.8462),
            support=(25, 25),
            accuracy=0.84,
        ),
        EvaluationRecord(
            experiment_id=experiment_id,
            split="validation",
            output="age",
            task="regression",
            source="validation_pass",
            sample_count=50,
            sampled=True,
            created_at=STARTED,
            epoch=EPOCHS - 1,
            r2=0.5,
            mae=1.25,
            rmse=1.5,
            residual_edges=(-1.0, 0.0, 1.0),
            residual_counts=(24, 26),
        ),
    ]


def write_weights(path: Path) -> None:
    """Write the weights of a layer as Keras does."""
    with h5py.File(path, "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables.attrs["name"] = "dense"
        variables["0"] = KERNEL
        variables["1"] = np.zeros(2, "float32")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def read_records(path: Path, table: str, record_type: type[Any]) -> list[Any]:
    """Return what is in one file of a table, as records."""
    with path.open("rb") as file:
        return records_of(decode_rows(file, table).to_pylist(), record_type)
