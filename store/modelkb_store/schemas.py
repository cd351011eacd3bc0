"""The store format, version 1, as Arrow schemas: the only home of column names and types.

Every table is partitioned by project, so ``project`` is a column of each for whoever reads
the folder, and is in no file. Times are in UTC; units are in the names. FORMAT.md says the
same for people, and a test holds the two together.
"""

from __future__ import annotations

import pyarrow as pa

FORMAT_VERSION = 1

PARTITIONING = pa.schema([pa.field("project", pa.string())])

_TIME = pa.timestamp("us", tz="UTC")
_STRINGS = pa.list_(pa.string())
_NUMBERS = pa.list_(pa.float64())
_COUNTS = pa.list_(pa.int64())


def _schema(table: str, **columns: pa.DataType) -> pa.Schema:
    metadata = {"modelkb.format_version": str(FORMAT_VERSION), "modelkb.table": table}
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()], metadata=metadata)


_METRIC_COLUMNS = {
    "experiment_id": pa.string(),
    "epoch": pa.int32(),
    "step": pa.int64(),
    "split": pa.string(),
    "metric": pa.string(),
    "value": pa.float64(),
    "wall_time": _TIME,
}

SCHEMAS: dict[str, pa.Schema] = {
    "projects": _schema(
        "projects",
        created_at=_TIME,
        owner=pa.string(),
        application=pa.string(),
        description=pa.string(),
    ),
    "experiments": _schema(
        "experiments",
        experiment_id=pa.string(),
        name=pa.string(),
        owner=pa.string(),
        status=pa.string(),
        started_at=_TIME,
        ended_at=_TIME,
        duration_seconds=pa.float64(),
        host=pa.string(),
        process_id=pa.int64(),
        seed=pa.int64(),
        epochs_planned=pa.int32(),
        epochs_completed=pa.int32(),
        tags=_STRINGS,
        notes=pa.string(),
        model_id=pa.string(),
        architecture_id=pa.string(),
        dataset_id=pa.string(),
        validation_dataset_id=pa.string(),
        implementation_id=pa.string(),
        environment_id=pa.string(),
        parent_experiment_id=pa.string(),
        problems=_STRINGS,
        modelkb_version=pa.string(),
    ),
    "hyperparameters": _schema(
        "hyperparameters",
        experiment_id=pa.string(),
        name=pa.string(),
        value=pa.string(),
        number=pa.float64(),
        source=pa.string(),
    ),
    "metrics": _schema("metrics", **_METRIC_COLUMNS),
    "batch_metrics": _schema("batch_metrics", **_METRIC_COLUMNS),
    "evaluations": _schema(
        "evaluations",
        experiment_id=pa.string(),
        split=pa.string(),
        output=pa.string(),
        task=pa.string(),
        epoch=pa.int32(),
        source=pa.string(),
        sample_count=pa.int64(),
        sampled=pa.bool_(),
        class_names=_STRINGS,
        confusion_matrix=pa.list_(_COUNTS),
        precision=_NUMBERS,
        recall=_NUMBERS,
        f1=_NUMBERS,
        support=_COUNTS,
        accuracy=pa.float64(),
        r2=pa.float64(),
        mae=pa.float64(),
        rmse=pa.float64(),
        residual_edges=_NUMBERS,
        residual_counts=_COUNTS,
        created_at=_TIME,
    ),
    "models": _schema(
        "models",
        model_id=pa.string(),
        architecture_id=pa.string(),
        created_at=_TIME,
        name=pa.string(),
        class_name=pa.string(),
        kind=pa.string(),
        layer_count=pa.int32(),
        parameter_count=pa.int64(),
        trainable_parameter_count=pa.int64(),
        compile_config=pa.string(),
        dataset_id=pa.string(),
        implementation_id=pa.string(),
        architecture_path=pa.string(),
    ),
    "layers": _schema(
        "layers",
        architecture_id=pa.string(),
        position=pa.int32(),
        path=pa.string(),
        name=pa.string(),
        class_name=pa.string(),
        inbound=_STRINGS,
        output_shape=pa.string(),
        dtype=pa.string(),
        trainable=pa.bool_(),
        parameter_count=pa.int64(),
        trainable_parameter_count=pa.int64(),
        config=pa.string(),
    ),
    "datasets": _schema(
        "datasets",
        dataset_id=pa.string(),
        created_at=_TIME,
        kind=pa.string(),
        inputs=pa.string(),
        targets=pa.string(),
        sample_count=pa.int64(),
        batch_count=pa.int64(),
        class_names=_STRINGS,
        fingerprint=pa.string(),
        fingerprint_sample_count=pa.int64(),
        source=pa.string(),
    ),
    "implementations": _schema(
        "implementations",
        implementation_id=pa.string(),
        created_at=_TIME,
        script=pa.string(),
        model_class=pa.string(),
        data_slice=pa.string(),
        definitions=pa.string(),
    ),
    "environments": _schema(
        "environments",
        environment_id=pa.string(),
        created_at=_TIME,
        python_version=pa.string(),
        operating_system=pa.string(),
        machine=pa.string(),
        cpu=pa.string(),
        cpu_count=pa.int32(),
        memory_bytes=pa.int64(),
        gpus=_STRINGS,
        gpu_driver=pa.string(),
        cuda_version=pa.string(),
        cudnn_version=pa.string(),
        keras_version=pa.string(),
        backend=pa.string(),
        backend_version=pa.string(),
        dtype_policy=pa.string(),
        float_type=pa.string(),
        image_data_format=pa.string(),
        deterministic_ops=pa.bool_(),
        inter_op_threads=pa.int32(),
        intra_op_threads=pa.int32(),
        distributions=pa.list_(pa.struct([("name", pa.string()), ("version", pa.string())])),
        variables=pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])),
    ),
    "predictions": _schema(
        "predictions",
        prediction_id=pa.string(),
        experiment_id=pa.string(),
        model_id=pa.string(),
        created_at=_TIME,
        source=pa.string(),
        input_shapes=pa.string(),
        sample_count=pa.int64(),
        batch_size=pa.int32(),
        duration_seconds=pa.float64(),
        output_summary=pa.string(),
    ),
    "artifacts": _schema(
        "artifacts",
        experiment_id=pa.string(),
        kind=pa.string(),
        epoch=pa.int32(),
        path=pa.string(),
        sha256=pa.string(),
        size_bytes=pa.int64(),
        created_at=_TIME,
    ),
}
