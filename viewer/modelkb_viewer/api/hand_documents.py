"""What is told of an experiment that is recorded by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from modelkb_store.editing import LONGEST_NOTES, LONGEST_TAG, MOST_TAGS
from modelkb_viewer.api.moment import Moment

_MOST_POINTS = 1_000
_LARGEST_STEP = (1 << 63) - 1
_LARGEST_EPOCH = (1 << 31) - 1
_LONGEST_NAME = 300
_MOST_HYPERPARAMETERS = 5_000

Name = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_NAME)]
Tag = Annotated[str, StringConstraints(max_length=LONGEST_TAG)]


class NewExperiment(BaseModel):
    """An experiment to be recorded by hand."""

    model_config = ConfigDict(extra="forbid")

    project: Name = Field(description="The project that it is of; made if it is not there.")
    name: Name | None = Field(default=None, description="By default `run-` and the end of its id.")
    owner: Name | None = Field(
        default=None, description="By default the name of the token, or who runs the server."
    )
    tags: list[Tag] = Field(default=[], max_length=MOST_TAGS, description="Words to find it by.")
    notes: str = Field(default="", max_length=LONGEST_NOTES, description="Text about it.")
    hyperparameters: dict[Name, Any] = Field(
        default={},
        max_length=_MOST_HYPERPARAMETERS,
        description="Numbers, texts, truth values or lists, by name.",
    )
    epochs_planned: int | None = Field(
        default=None, ge=0, le=_LARGEST_EPOCH, strict=True, description="How many it is to have."
    )
    seed: int | None = Field(
        default=None,
        ge=-_LARGEST_STEP,
        le=_LARGEST_STEP,
        strict=True,
        description="What its random generators began with.",
    )
    started_at: Moment | None = Field(
        default=None, description="When it began, with a time zone; now by default."
    )


class NewPoint(BaseModel):
    """One value of a curve."""

    model_config = ConfigDict(extra="forbid")

    metric: Name = Field(description="Its name without the split, such as `loss`.")
    value: float | None = Field(strict=True, description="Null stands for NaN.")
    epoch: int = Field(ge=0, le=_LARGEST_EPOCH, strict=True, description="From 0, as in Keras.")
    step: int | None = Field(
        default=None,
        ge=0,
        le=_LARGEST_STEP,
        strict=True,
        description="Steps of the optimizer so far; the epoch by default.",
    )
    split: Literal["train", "validation", "test"] = "train"
    wall_time: Moment | None = Field(
        default=None, description="When it was measured, with a time zone; now by default."
    )


class NewPoints(BaseModel):
    """Values of curves to be added."""

    model_config = ConfigDict(extra="forbid")

    points: list[NewPoint] = Field(
        max_length=_MOST_POINTS,
        description="Those that are there already (the same split, metric, epoch and step) are "
        "passed over, so that a request can be sent again.",
    )


class AddedPoints(BaseModel):
    """What became of values that were sent."""

    added: int = Field(description="How many are new.")
    known: int = Field(description="How many were there already, and were passed over.")


class ExperimentEnd(BaseModel):
    """How an experiment that is recorded by hand has ended."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["finished", "failed", "interrupted"] = Field(
        default="finished", description="Whether it came to its end."
    )
    ended_at: Moment | None = Field(
        default=None, description="When, with a time zone; now by default."
    )
