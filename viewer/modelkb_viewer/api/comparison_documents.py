"""What differs between experiments, and what works best, as answers."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from modelkb_viewer.content.comparison import PARTS

ComparisonPart = Enum(  # type: ignore[misc]
    "ComparisonPart", {name: name for name in PARTS}, type=str
)


class _FromAttributes(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ComparedExperimentDocument(_FromAttributes):
    """One of the experiments that are compared."""

    experiment_id: str
    label: str = Field(description="Its name; with the end of its id where others have the same.")


class ComparedValueDocument(_FromAttributes):
    """A value of each experiment."""

    name: str = Field(description="What it is of.")
    values: list[Any] = Field(
        description="In the order of `experiments`; null of one that has none."
    )
    differs: bool = Field(description="Whether they are not all the same.")


class ComparedMetricDocument(_FromAttributes):
    """A number of each experiment's curve of a metric."""

    metric: str = Field(description="As in Keras' history, such as `val_loss`.")
    summary: str = Field(description="`first`, `best` or `last` of the curve.")
    values: list[float | None] = Field(description="In the order of `experiments`.")
    best: list[str] = Field(description="The ids of the experiments with the best of them.")
    differs: bool = Field(description="Whether they are not all the same.")


class DifferenceDocument(_FromAttributes):
    """What is different in an experiment from the first one."""

    experiment_id: str
    is_same: bool | None = Field(description="Null where it cannot be said.")
    words: str = Field(description="The difference in words, or why it cannot be said.")
    layers: list[dict[str, Any]] = Field(
        description="Of architectures: the layers that are not the same. `change` says how, "
        "`first` and `second` are their paths, `setting`, `first_value` and `second_value` what "
        "is another in a layer that both have."
    )
    lines: str = Field(description="Of scripts: a unified diff.")


class ComparisonDocument(_FromAttributes):
    """Experiments side by side; a part that was not asked for is empty."""

    experiments: list[ComparedExperimentDocument]
    facts: list[ComparedValueDocument] = Field(description="What each is, as texts.")
    hyperparameters: list[ComparedValueDocument]
    metrics: list[ComparedMetricDocument] = Field(description="The most telling one first.")
    evaluations: list[dict[str, Any]] = Field(
        description="One row per experiment, split and output: `samples`, and those of "
        "`accuracy`, `precision`, `recall`, `f1` (means of the classes), `r2`, `mae` and `rmse` "
        "that one of them has."
    )
    environments: list[ComparedValueDocument] = Field(description="As texts.")
    architectures: list[DifferenceDocument] = Field(description="Of each but the first.")
    scripts: list[DifferenceDocument] = Field(description="Of each but the first.")


class DatasetGroup(BaseModel):
    """Experiments that were trained on the same data."""

    dataset_id: str = Field(description="Empty where none was recorded.")
    title: str = Field(description="What it is, for people.")
    runs: int = Field(description="How many experiments were trained on it.")


class Importance(BaseModel):
    """How much of the differences in a metric goes with one hyperparameter."""

    hyperparameter: str
    importance: float = Field(
        description="Epsilon squared of the ranks, corrected for chance: 0 for nothing, 1 for all."
    )
    chance: float = Field(description="What 19 of 20 shuffles stay below.")
    groups: int = Field(description="How many values or ranges of values it has.")
    runs: int = Field(description="From how many experiments it is computed.")


class ValueResult(BaseModel):
    """How well experiments with one value of a hyperparameter did."""

    hyperparameter: str
    value: str = Field(description="The value, or a range such as `0.001 to 0.02`.")
    runs: int = Field(description="How many experiments have it.")
    median: float | None = Field(description="Of the metric; null where all diverged.")
    best: float | None = Field(description="Of the metric.")
    top_quarter: float = Field(
        description="The share of these experiments, 0 to 1, among the best quarter of all."
    )


class FindingsDocument(BaseModel):
    """What works best on one dataset of a project."""

    project: str = Field(description="Whose experiments are looked at.")
    metric: str = Field(description="What is compared, as in Keras' history.")
    metrics: list[str] = Field(description="What could be compared, the most telling one first.")
    data: DatasetGroup = Field(description="The dataset that it is about.")
    datasets: list[DatasetGroup] = Field(description="Those that could be looked at.")
    runs: int = Field(description="How many experiments it is about.")
    headline: str = Field(description="What works best, in a sentence.")
    importance: list[Importance] = Field(
        description="The largest first; empty with fewer than 10 experiments, or where all have "
        "the same metric."
    )
    values: list[ValueResult] = Field(description="The most important hyperparameter first.")
