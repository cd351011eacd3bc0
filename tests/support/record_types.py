"""Which record belongs to which table."""

from __future__ import annotations

from typing import Any

from modelkb_store.records import (
    ArtifactRecord,
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
    PredictionRecord,
    ProjectRecord,
    RandomStateRecord,
    ResourceRecord,
)

RECORD_TYPES: dict[str, type[Any]] = {
    "projects": ProjectRecord,
    "experiments": ExperimentRecord,
    "hyperparameters": HyperparameterRecord,
    "metrics": MetricRecord,
    "batch_metrics": MetricRecord,
    "epochs": EpochRecord,
    "evaluations": EvaluationRecord,
    "models": ModelRecord,
    "layers": LayerRecord,
    "datasets": DatasetRecord,
    "implementations": ImplementationRecord,
    "environments": EnvironmentRecord,
    "random_states": RandomStateRecord,
    "resources": ResourceRecord,
    "predictions": PredictionRecord,
    "artifacts": ArtifactRecord,
}
