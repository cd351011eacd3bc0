"""``/experiments/{experiment_id}/..``: what is recorded of one experiment."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

import pyarrow.compute as pc
from fastapi import APIRouter, Query, Request, Response

from modelkb_store.history_names import history_name
from modelkb_viewer.api.asked import AskedExperiment
from modelkb_viewer.api.documents import ConfusionMatrix, ExperimentTable
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import described_rows, rows_answer
from modelkb_viewer.json_values import plain

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)


@router.get("/tables/{table}", response_model=None, responses=described_rows())
def read_table(request: Request, experiment: AskedExperiment, table: ExperimentTable) -> Response:
    """Return the experiment's rows of a table, without its id."""
    return rows_answer(request, experiment.table(table.value))


@router.get("/metrics", response_model=None, responses=described_rows())
def read_metrics(
    request: Request,
    experiment: AskedExperiment,
    name: Annotated[
        str | None, Query(description="Only this curve, as in Keras' history: `val_loss`.")
    ] = None,
) -> Response:
    """Return the curves: one row per epoch, split and metric."""
    rows = experiment.table("metrics")
    if name is not None:
        pairs = zip(rows["split"].to_pylist(), rows["metric"].to_pylist(), strict=True)
        rows = rows.filter(pc.equal([history_name(*pair) for pair in pairs], name))
    return rows_answer(request, rows)


@router.get("/confusion-matrix")
def read_confusion_matrix(
    experiment: AskedExperiment,
    split: Annotated[str | None, Query(description="By default the one evaluated last.")] = None,
    output: Annotated[str | None, Query(description="Of models with several outputs.")] = None,
) -> ConfusionMatrix:
    """Return how often which class was predicted."""
    matrix = experiment.confusion_matrix(split, output)
    names = [str(name) for name in matrix.columns]
    return ConfusionMatrix(class_names=names, counts=matrix.to_numpy().tolist())


@router.get("/environment")
def read_environment(experiment: AskedExperiment) -> dict[str, Any]:
    """Return what decides the bits of the result, and the machine; empty if not recorded."""
    return _document(experiment.environment())


@router.get("/datasets/{split}")
def read_dataset(
    experiment: AskedExperiment, split: Literal["train", "validation"]
) -> dict[str, Any]:
    """Return the description of the training or validation data; empty if unknown."""
    return _document(experiment.dataset(split))


@router.get("/model")
def read_model(experiment: AskedExperiment) -> dict[str, Any]:
    """Return the model's class, parameter counts and compile configuration."""
    return _document(experiment.model())


@router.get("/implementation")
def read_implementation(experiment: AskedExperiment) -> dict[str, Any]:
    """Return the code behind the run, as text; empty if it was not recorded."""
    return _document(experiment.implementation())


def _document(facts: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = plain(facts)
    return document
