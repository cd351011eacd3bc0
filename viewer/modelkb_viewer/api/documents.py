"""The types of what the API answers and takes, where they are no rows of a table."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from modelkb_store.editing import LONGEST_NOTES, MOST_TAGS
from modelkb_store.schemas import SCHEMAS
from modelkb_store.server.server_backend import MOST_SQL_ROWS, TRUNCATED_HEADER
from modelkb_viewer.tokens import Scope

# Whoever asks waits for an answer no longer than two minutes.
LONGEST_SQL_SECONDS = 100

TableName = Enum(  # type: ignore[misc]
    "TableName", {name: name for name in SCHEMAS}, type=str
)
ExperimentTable = Enum(  # type: ignore[misc]
    "ExperimentTable",
    {name: name for name, schema in SCHEMAS.items() if "experiment_id" in schema.names},
    type=str,
)


class ProjectDocument(BaseModel):
    """A project, and how many experiments it has."""

    project: str = Field(description="Its name.")
    created_at: datetime | None = Field(description="In UTC.")
    owner: str | None = Field(description="Who began it.")
    application: str | None = Field(description="What it is for.")
    description: str | None = Field(description="What it is about.")
    experiment_count: int = Field(description="How many experiments it has.")
    last_started_at: datetime | None = Field(description="When the newest began, in UTC.")


class ExperimentRow(BaseModel):
    """An experiment in a list: its row of the table ``experiments``, and more columns.

    Those are ``params.NAME`` for each hyperparameter and ``metrics.NAME`` for the last value of
    each metric. FORMAT.md describes all columns.
    """

    model_config = ConfigDict(extra="allow")

    project: str = Field(description="The project that it is of.")
    experiment_id: str = Field(description="Its whole id.")
    name: str
    owner: str = Field(description="Who ran it.")
    status: str = Field(description="`running`, `finished`, `failed` or `interrupted`.")
    started_at: datetime = Field(description="In UTC.")


class ExperimentDocument(ExperimentRow):
    """An experiment: its row of the table ``experiments``, and its hyperparameters."""

    host: str = Field(description="The machine; empty where it was not told.")
    ended_at: datetime | None = Field(description="In UTC.")
    duration_seconds: float | None = Field(description="Seconds from start to end.")
    seed: int | None = Field(description="What random generators began with.")
    epochs_planned: int | None = Field(description="How many it was to have.")
    epochs_completed: int = Field(description="How many have ended.")
    tags: list[str]
    notes: str
    problems: list[str] = Field(description="What could not be recorded, as sentences.")
    parent_experiment_id: str | None = Field(description="Whose model it trained further.")
    reproduces_experiment_id: str | None = Field(description="Which one it does again.")
    hyperparameters: dict[str, Any] = Field(description="By name, as JSON has them.")


class ExperimentPage(BaseModel):
    """Some of the experiments that were asked for."""

    items: list[ExperimentRow]
    total: int = Field(description="How many there are in all.")
    offset: int = Field(description="How many come before these.")


class ExperimentChange(BaseModel):
    """What is to change of an experiment; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    tags: list[str] | None = Field(
        default=None, max_length=MOST_TAGS, description="All that it is to have."
    )
    notes: str | None = Field(
        default=None, max_length=LONGEST_NOTES, description="The whole text that it is to have."
    )
    seen_tags: list[str] | None = Field(
        default=None, description="As you have seen them: what others have added since stays."
    )
    seen_notes: str | None = Field(default=None, description="The same of the notes.")


class ExperimentSelection(BaseModel):
    """Which experiments are wanted, and in which order."""

    model_config = ConfigDict(extra="forbid")

    project: str | None = Field(default=None, description="Only this project's.")
    where: str | None = Field(
        default=None,
        description="Only those for which this holds, in the language of docs/queries.md.",
        max_length=20_000,
    )
    order_by: str | list[str] | None = Field(
        default=None, description="A column or several, with `-` in front from large to small."
    )
    limit: int | None = Field(default=None, ge=0, strict=True, description="No more than these.")


class ExperimentList(BaseModel):
    """Some experiments."""

    model_config = ConfigDict(extra="forbid")

    experiment_ids: list[str] = Field(description="Whole ids.")
    project: str | None = Field(
        default=None, description="The project that all of them are of, if they are of one."
    )


class ConfusionMatrix(BaseModel):
    """How often which class was predicted: rows are true classes, columns predicted ones."""

    class_names: list[str] = Field(description="Of rows and columns; numbers where unknown.")
    counts: list[list[int]] = Field(description="Samples, by true class and predicted class.")


class SqlQuery(BaseModel):
    """An SQL query."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(
        description="One SELECT in DuckDB's SQL, over the tables of FORMAT.md.",
        min_length=1,
        max_length=100_000,
        examples=["select owner, count(*) as runs from experiments group by owner"],
    )
    timeout_seconds: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        le=LONGEST_SQL_SECONDS,
        description="After how many seconds it is ended, 30 by default.",
    )
    max_rows: int = Field(
        default=100_000,
        strict=True,
        ge=0,
        le=MOST_SQL_ROWS,
        description="How many rows are answered: the first of them. If there are more, the "
        f"answer has the header `{TRUNCATED_HEADER}`.",
    )


class TableQuery(BaseModel):
    """Which rows of a table are read."""

    model_config = ConfigDict(extra="forbid")

    project: str | None = Field(default=None, description="Only this project's rows.")
    columns: list[str] | None = Field(default=None, description="Only these; all by default.")
    where: dict[str, list[str]] | None = Field(
        default=None, description="Only rows with one of these values, by column."
    )


class ReceivedBytes(BaseModel):
    """How much of what was recorded elsewhere is here."""

    received: int = Field(description="Bytes.")


class FullSegment(BaseModel):
    """A segment of a log that nothing is added to any more."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=0, strict=True, description="Its bytes, where it comes from.")


class LogEnd(BaseModel):
    """A log that nothing is added to any more."""

    model_config = ConfigDict(extra="forbid")

    sizes: dict[Annotated[int, Field(ge=0, le=9999)], int] = Field(
        description="The bytes of its segments where it comes from, by their numbers."
    )
    modified: float | None = Field(
        default=None, ge=0, description="When it was written to last, in seconds since 1970."
    )


class Health(BaseModel):
    """Whether the server can answer."""

    status: str = Field(description="`ok`, or `no store` before anything was recorded.")
    version: str = Field(description="The version of ModelKB.")


class TokenDocument(BaseModel):
    """What is known of a token; not its text."""

    token_id: str = Field(description="Ten hexadecimal digits, by which it is revoked.")
    name: str = Field(description="What it is for.")
    scope: Scope = Field(description="What it allows; each scope also what comes before it.")
    project: str | None = Field(description="The only project that it is about; null for all.")
    created_at: datetime = Field(description="In UTC.")


class AuditDocument(BaseModel):
    """That somebody has changed something, or was not allowed to."""

    at: datetime = Field(description="When it was answered, in UTC.")
    token_id: str | None = Field(description="With which token; null without one.")
    token_name: str | None = Field(description="How the token was called then.")
    address: str = Field(description="The network address of who asked.")
    method: str = Field(description="Such as `PATCH`.")
    route: str = Field(description="What was asked for, as this description names it.")
    parameters: dict[str, str] = Field(
        description="What it was about, such as `project` and `experiment_id`."
    )
    status: int = Field(description="The status of the answer: below 300 it was done.")
    count: int = Field(description="How often the same was done, from `at` to `until`.")
    until: datetime | None = Field(description="The last time of several.")


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="What it is for.")
    scope: Scope = Field(description="What it is to allow.")
    project: str | None = Field(default=None, description="The only project that it is about.")


class CreatedToken(TokenDocument):
    """A token that was made, with its text: it is shown this once."""

    token: str = Field(description="Its text, for `Authorization: Bearer TOKEN`.")


class PredictionInput(BaseModel):
    """Samples for a model."""

    model_config = ConfigDict(extra="forbid")

    inputs: list[Any] | dict[str, list[Any]] = Field(
        description="Samples, one after the other, as nested lists; of a model with several "
        "inputs those of each, by its name."
    )


class OutputDocument(BaseModel):
    """What one output of a model says."""

    name: str = Field(description="The name of the output.")
    kind: str = Field(description="`classes`, `labels`, `values` or `array`.")
    values: list[Any] = Field(
        description="By sample: probabilities of classes or labels, or what the model gave."
    )
    labels: list[str] = Field(description="What the columns are; none of an array.")
    notes: list[str] = Field(description="What was done to the numbers, in words.")


class PredictionDocument(BaseModel):
    """What a model says to samples."""

    experiment_id: str = Field(description="Whose model it is.")
    outputs: list[OutputDocument] = Field(description="What each output of the model says.")
    steps: list[str] = Field(description="How the inputs were prepared, in words.")
    warnings: list[str] = Field(description="What is odd about the inputs.")
    seconds: float = Field(description="Seconds that the prediction took, with others beside it.")
    load_seconds: float = Field(description="Seconds that the model took to load.")
    backend: str = Field(description="What computed it: `tensorflow`, `jax` or `torch`.")
