"""What is recorded, as frozen dataclasses: one class per table, one field per column.

A record is parsed once, where it is made; no bare dict crosses a module border. Column
types are in :mod:`modelkb_store.schemas`, meanings in FORMAT.md. JSON columns hold text
from :func:`modelkb_store.ids.canonical_json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modelkb_store.experiment_record import ExperimentRecord, Status

__all__ = [
    "ArtifactRecord",
    "CheckpointRecord",
    "DatasetRecord",
    "EnvironmentRecord",
    "EpochRecord",
    "EvaluationRecord",
    "ExperimentRecord",
    "HyperparameterRecord",
    "ImplementationRecord",
    "LayerRecord",
    "MetricRecord",
    "MetricSummaryRecord",
    "ModelRecord",
    "NamedValue",
    "NamedVersion",
    "PredictionRecord",
    "ProjectRecord",
    "RandomStateRecord",
    "ResourceRecord",
    "Status",
    "TrainedWeightsRecord",
    "VariableRecord",
]


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project, which holds experiments; its name is the folder's."""

    created_at: datetime
    owner: str | None = None
    application: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class HyperparameterRecord:
    """One setting of a run, with where it was seen: fit, compile, user or scanner."""

    experiment_id: str
    name: str
    value: str
    number: float | None
    source: str


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """One value of a curve."""

    experiment_id: str
    epoch: int
    step: int
    split: str
    metric: str
    value: float
    wall_time: datetime


@dataclass(frozen=True, slots=True)
class MetricSummaryRecord:
    """A curve in one row, so that listing experiments reads no whole curves.

    NaN is passed over by ``min`` and ``max``, whose epochs are the first that have them.
    """

    experiment_id: str
    split: str
    metric: str
    count: int
    first: float
    last: float
    last_epoch: int
    min: float | None
    min_epoch: int | None
    max: float | None
    max_epoch: int | None


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """When an epoch ran, and the learning rates that it began and ended with."""

    experiment_id: str
    epoch: int
    started_at: datetime
    duration_seconds: float
    initial_learning_rate: float | None
    final_learning_rate: float | None


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """How one output of the model does on one split of the data.

    Rows of the confusion matrix are true classes, columns predicted ones; precision,
    recall, F1 and support are per class, in the same order.
    """

    experiment_id: str
    split: str
    output: str
    task: str
    source: str
    sample_count: int
    sampled: bool
    created_at: datetime
    epoch: int | None = None
    class_names: tuple[str, ...] | None = None
    confusion_matrix: tuple[tuple[int, ...], ...] | None = None
    precision: tuple[float, ...] | None = None
    recall: tuple[float, ...] | None = None
    f1: tuple[float, ...] | None = None
    support: tuple[int, ...] | None = None
    accuracy: float | None = None
    r2: float | None = None
    mae: float | None = None
    rmse: float | None = None
    residual_edges: tuple[float, ...] | None = None
    residual_counts: tuple[int, ...] | None = None
    dataset_id: str | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """An architecture as it was compiled and trained on a dataset by an implementation."""

    model_id: str
    architecture_id: str
    created_at: datetime
    name: str
    class_name: str
    kind: str
    layer_count: int
    parameter_count: int
    trainable_parameter_count: int
    compile_config: str | None
    dataset_id: str | None
    implementation_id: str | None
    architecture_path: str


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """One layer of an architecture, nested models' layers included."""

    architecture_id: str
    position: int
    path: str
    name: str
    class_name: str
    inbound: tuple[str, ...]
    output_shape: str | None
    dtype: str | None
    trainable: bool
    parameter_count: int
    trainable_parameter_count: int
    config: str | None


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """What the data arguments of ``fit`` were."""

    dataset_id: str
    created_at: datetime
    kind: str
    inputs: str | None
    targets: str | None
    sample_count: int | None
    batch_count: int | None
    class_names: tuple[str, ...] | None
    fingerprint: str | None
    fingerprint_sample_count: int | None
    fingerprint_scope: str | None = None
    class_counts: tuple[int, ...] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ImplementationRecord:
    """The code behind a run."""

    implementation_id: str
    created_at: datetime
    script: str | None
    model_class: str | None
    data_slice: str | None = None
    definitions: str | None = None
    source_problems: tuple[str, ...] = ()
    source_warnings: tuple[str, ...] = ()
    git_commit: str | None = None
    git_branch: str | None = None
    git_difference: str | None = None


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """An installed distribution."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class NamedValue:
    """An environment variable."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """All that decides the bits of a result, but for the seed, which is the experiment's."""

    environment_id: str
    created_at: datetime
    python_version: str
    operating_system: str
    machine: str
    cpu: str | None
    cpu_count: int | None
    memory_bytes: int | None
    gpus: tuple[str, ...]
    gpu_driver: str | None
    cuda_version: str | None
    cudnn_version: str | None
    keras_version: str | None
    backend: str | None
    backend_version: str | None
    dtype_policy: str | None
    float_type: str | None
    image_data_format: str | None
    deterministic_ops: bool | None
    inter_op_threads: int | None
    intra_op_threads: int | None
    distributions: tuple[NamedVersion, ...]
    variables: tuple[NamedValue, ...]


@dataclass(frozen=True, slots=True)
class RandomStateRecord:
    """The state of a random generator when the training began, as JSON text."""

    experiment_id: str
    generator: str
    state: str


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """What the process used of the machine at one moment."""

    experiment_id: str
    wall_time: datetime
    cpu_percent: float | None
    memory_bytes: int | None
    gpu_percent: tuple[float, ...] | None
    gpu_memory_bytes: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One use of a model after its training."""

    prediction_id: str
    experiment_id: str | None
    model_id: str | None
    created_at: datetime
    source: str
    input_shapes: str
    sample_count: int | None
    batch_size: int | None
    duration_seconds: float | None
    output_summary: str | None


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """A file that an experiment produced."""

    experiment_id: str
    kind: str
    path: str
    sha256: str
    size_bytes: int
    created_at: datetime
    epoch: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """The weights of a model at one moment, variable by variable."""

    experiment_id: str
    kind: str
    epoch: int | None
    metric: str | None
    value: float | None
    structure: str
    variable_paths: tuple[str, ...]
    variable_ids: tuple[str, ...]
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VariableRecord:
    """The values of one variable, stored once however many checkpoints have them."""

    variable_id: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int
    pack_path: str


@dataclass(frozen=True, slots=True)
class TrainedWeightsRecord:
    """Which experiment some weights came out of."""

    weights_id: str
    experiment_id: str
