"""``/experiments/{experiment_id}/..``: what is recorded of one experiment."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

import pyarrow.compute as pc
from fastapi import APIRouter, Path, Query, Request, Response

from modelkb_store.history_names import history_name
from modelkb_viewer.api.asked import AskedExperiment
from modelkb_viewer.api.documents import ConfusionMatrix, ExperimentTable
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import AskedPart, described_rows, rows_answer
from modelkb_viewer.api.table_schemas import row_schema
from modelkb_viewer.json_values import plain

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_NUMBER = {"type": ["integer", "null"]}


def _rows(table: str) -> dict[str, Any]:
    """Return the settings of a route that answers an experiment's rows of a table."""
    return {"response_model": None, "responses": described_rows(row_schema(table))}


def _entity(table: str, instead: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings of a route that answers one row, or nothing."""
    project = {"project": {"type": "string"}, **(instead or {})}
    schema = row_schema(table, without=(), instead=project, is_whole=False)
    content = {"application/json": {"schema": schema}}
    answer = {"description": "What is recorded; empty if nothing is.", "content": content}
    return {"response_model": None, "responses": {200: answer}}


@router.get("/tables/{table}", response_model=None, responses=described_rows())
def read_experiment_table(
    request: Request,
    experiment: AskedExperiment,
    table: Annotated[ExperimentTable, Path(description="A table of FORMAT.md.")],
    part: AskedPart,
) -> Response:
    """Return the experiment's rows of a table, without its id."""
    return rows_answer(request, experiment.table(table.value), part)


@router.get("/metrics", **_rows("metrics"))
def read_metrics(
    request: Request,
    experiment: AskedExperiment,
    part: AskedPart,
    name: Annotated[
        str | None, Query(description="Only this curve, as in Keras' history: `val_loss`.")
    ] = None,
) -> Response:
    """Return the curves: one row per epoch (from 0), split and metric."""
    rows = experiment.table("metrics")
    if name is not None:
        pairs = zip(rows["split"].to_pylist(), rows["metric"].to_pylist(), strict=True)
        rows = rows.filter(pc.equal([history_name(*pair) for pair in pairs], name))
    return rows_answer(request, rows, part)


@router.get("/batch-metrics", **_rows("batch_metrics"))
def read_batch_metrics(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return the curves by batch, of runs recorded with `batch_metrics=True`."""
    return rows_answer(request, experiment.table("batch_metrics"), part)


@router.get("/epochs", **_rows("epochs"))
def read_epochs(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return when each epoch ran, and the learning rates that it began and ended with."""
    return rows_answer(request, experiment.table("epochs"), part)


@router.get("/resources", **_rows("resources"))
def read_resources(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return what the process used of processor, memory and GPUs over time.

    `cpu_percent` is 100 for one processor that has no pause.
    """
    return rows_answer(request, experiment.table("resources"), part)


@router.get("/hyperparameters", **_rows("hyperparameters"))
def read_hyperparameters(
    request: Request, experiment: AskedExperiment, part: AskedPart
) -> Response:
    """Return the hyperparameters with where each was seen; `value` is JSON text.

    The experiment itself has their values by name.
    """
    return rows_answer(request, experiment.table("hyperparameters"), part)


@router.get("/evaluations", **_rows("evaluations"))
def read_evaluations(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return the evaluations, with confusion matrices: one row per split and output."""
    return rows_answer(request, experiment.table("evaluations"), part)


@router.get("/predictions", **_rows("predictions"))
def list_predictions(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return what was predicted with the model after the training: one row per call."""
    return rows_answer(request, experiment.table("predictions"), part)


@router.get("/confusion-matrix")
def read_confusion_matrix(
    experiment: AskedExperiment,
    split: Annotated[
        str | None,
        Query(description="`train`, `validation` or `test`; by default the one evaluated last."),
    ] = None,
    output: Annotated[str | None, Query(description="Of models with several outputs.")] = None,
) -> ConfusionMatrix:
    """Return how often which class was predicted."""
    matrix = experiment.confusion_matrix(split, output)
    names = [str(name) for name in matrix.columns]
    return ConfusionMatrix(class_names=names, counts=matrix.to_numpy().tolist())


@router.get(
    "/environment",
    **_entity("environments", {"distributions": _TEXTS, "variables": _TEXTS, "seed": _NUMBER}),
)
def read_environment(experiment: AskedExperiment) -> Any:
    """Return what decides the bits of the result, and the machine."""
    return plain(experiment.environment())


@router.get("/datasets/{split}", **_entity("datasets"))
def read_dataset(
    experiment: AskedExperiment,
    split: Annotated[Literal["train", "validation"], Path(description="Which data are described.")],
) -> Any:
    """Return the description of the training or validation data."""
    return plain(experiment.dataset(split))


@router.get("/model", **_entity("models"))
def read_model(experiment: AskedExperiment) -> Any:
    """Return the model's class, parameter counts and compile configuration."""
    return plain(experiment.model())


@router.get("/implementation", **_entity("implementations"))
def read_implementation(experiment: AskedExperiment) -> Any:
    """Return the code behind the run, as text that nothing here runs."""
    return plain(experiment.implementation())
