"""Which record belongs to which table."""

from __future__ import annotations

from typing import Any

from modelkb_store.records import (
    ArtifactRecord,
    CheckpointRecord,
    DatasetRecord,
    EnvironmentRecord,
    EpochRecord,
    EvaluationRecord,
    ExperimentRecord,
    HyperparameterRecord,
    ImplementationRecord,
    LayerRecord,
    MetricRecord,
    MetricSummaryRecord,
    ModelRecord,
    PredictionRecord,
    ProjectRecord,
    RandomStateRecord,
    ResourceRecord,
    TrainedWeightsRecord,
    VariableRecord,
)

RECORD_TYPES: dict[str, type[Any]] = {
    "projects": ProjectRecord,
    "experiments": ExperimentRecord,
    "hyperparameters": HyperparameterRecord,
    "metrics": MetricRecord,
    "batch_metrics": MetricRecord,
    "metric_summaries": MetricSummaryRecord,
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
    "checkpoints": CheckpointRecord,
    "variables": VariableRecord,
    "trained_weights": TrainedWeightsRecord,
}
