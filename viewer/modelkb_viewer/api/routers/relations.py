"""``/experiments/{experiment_id}/..``: the experiments that one hangs together with."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus

from fastapi import APIRouter

from modelkb_store import Experiment, Store
from modelkb_store.records import Status
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.relation_documents import LineageDocument, ReproductionDocument
from modelkb_viewer.content.lineage import Lineage, Relative, lineage_of
from modelkb_viewer.content.reproductions import compare_runs, reproductions_of

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["experiments"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_MOST_COMPARED = 20


@router.get("/lineage")
def read_lineage(store: AskedStore, experiment: AskedExperiment, who: AskedBy) -> LineageDocument:
    """Return what an experiment came out of, and what came out of it."""
    lineage = lineage_of(store, experiment.id)
    if who.project is not None:
        lineage = _of_project(store, lineage, who.project)
    return LineageDocument.model_validate(lineage)


@router.get("/reproductions")
def list_reproductions(
    store: AskedStore, experiment: AskedExperiment, who: AskedBy
) -> list[ReproductionDocument]:
    """Return the runs that do an experiment again, newest first, and how the last 20 compare."""
    rows = [
        row
        for row in reproductions_of(store, experiment.id)
        if who.project in (None, store.experiment(row["experiment_id"]).project)
    ]
    return [_reproduction(store, experiment, row) for row in rows[:_MOST_COMPARED]]


def _reproduction(
    store: Store, experiment: Experiment, row: dict[str, object]
) -> ReproductionDocument:
    told: dict[str, object] = {"verdict": None, "causes": []}
    if row["status"] != Status.RUNNING.value:
        compared = compare_runs(store, experiment, str(row["experiment_id"]))
        told = {"verdict": compared.verdict.value, "causes": list(map(str, compared.causes))}
    return ReproductionDocument.model_validate({**row, **told})


def _of_project(store: Store, lineage: Lineage, project: str) -> Lineage:
    """Hide all but the ids of experiments of other projects."""
    ids = [each.experiment_id for each in lineage.relatives]
    mine = set(
        store.table("experiments", project, ["experiment_id"], where={"experiment_id": ids})[
            "experiment_id"
        ].to_pylist()
    )
    relatives = tuple(
        each
        if each.experiment_id in mine
        else Relative(each.experiment_id, None, "", each.generation)
        for each in lineage.relatives
    )
    return dataclasses.replace(lineage, relatives=relatives)
