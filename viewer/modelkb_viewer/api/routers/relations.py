"""``/experiments/{experiment_id}/..``: the experiments that one hangs together with."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelkb_store import Experiment, Store
from modelkb_store.records import Status
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.relation_documents import LineageDocument, ReproductionDocument
from modelkb_viewer.content.lineage import lineage_of
from modelkb_viewer.content.reproductions import compare_runs, reproductions_of

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_MOST_COMPARED = 20


@router.get("/lineage")
def read_lineage(store: AskedStore, experiment: AskedExperiment) -> LineageDocument:
    """Return what an experiment came out of, and what came out of it."""
    return LineageDocument.model_validate(lineage_of(store, experiment.id))


@router.get("/reproductions")
def list_reproductions(
    store: AskedStore, experiment: AskedExperiment
) -> list[ReproductionDocument]:
    """Return the runs that do an experiment again, newest first, and how the last 20 compare."""
    rows = reproductions_of(store, experiment.id)[:_MOST_COMPARED]
    return [_reproduction(store, experiment, row) for row in rows]


def _reproduction(
    store: Store, experiment: Experiment, row: dict[str, object]
) -> ReproductionDocument:
    told: dict[str, object] = {"verdict": None, "causes": []}
    if row["status"] != Status.RUNNING.value:
        compared = compare_runs(store, experiment, str(row["experiment_id"]))
        told = {"verdict": compared.verdict.value, "causes": list(map(str, compared.causes))}
    return ReproductionDocument.model_validate({**row, **told})
