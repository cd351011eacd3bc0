"""``/comparison`` and what works best: many experiments looked at together."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Path, Query

from modelkb_viewer.api.asked import AskedStore, visible_experiment
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.comparison_documents import (
    ComparisonDocument,
    ComparisonPart,
    DatasetGroup,
    FindingsDocument,
    Importance,
    ValueResult,
)
from modelkb_viewer.api.problems import RefusedError, answers
from modelkb_viewer.content.comparison import DEFAULT_PARTS, MOST_COMPARED, compare_experiments
from modelkb_viewer.content.data_groups import DataGroup
from modelkb_viewer.content.findings import findings
from modelkb_viewer.content.selected_experiments import selected_experiments
from modelkb_viewer.json_values import plain

router = APIRouter(tags=["comparisons"])

_LONGEST_ID = 300
_LONGEST_LIST = (MOST_COMPARED + 1) * _LONGEST_ID


@router.get(
    "/comparison",
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def compare(
    store: AskedStore,
    who: AskedBy,
    experiments: Annotated[
        str,
        Query(
            description="Two experiments or more, up to 30, with commas between them: ids, what "
            "is unique of them, or names.",
            examples=["9f1c2b7a4d,7b3e90aa12"],
            min_length=1,
            max_length=_LONGEST_LIST,
        ),
    ],
    parts: Annotated[
        list[ComparisonPart] | None,
        Query(
            description=f"What is wanted; by default {', '.join(DEFAULT_PARTS)}. Scripts take "
            "seconds. May be repeated."
        ),
    ] = None,
) -> ComparisonDocument:
    """Return what is the same and what is different between experiments."""
    named = [each.strip() for each in experiments.split(",")]
    ids = [visible_experiment(store, each, who).id for each in named if each]
    wanted = DEFAULT_PARTS if parts is None else tuple(part.value for part in parts)
    return ComparisonDocument.model_validate(compare_experiments(store, ids, wanted))


@router.get(
    "/projects/{project}/what-works",
    responses=answers(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
)
def find_what_works(  # noqa: PLR0917 - FastAPI passes all by name
    store: AskedStore,
    who: AskedBy,
    project: Annotated[str, Path(description="The name of a project.")],
    metric: Annotated[
        str | None,
        Query(description="As in Keras' history; by default the most telling one."),
    ] = None,
    summary: Annotated[
        Literal["best", "last"], Query(description="Which value of the curve counts.")
    ] = "best",
    dataset_id: Annotated[
        str | None, Query(description="By default the one that most were trained on.")
    ] = None,
    where: Annotated[
        str | None,
        Query(
            description="Only experiments for which this holds, in the language of "
            "docs/queries.md.",
            max_length=20_000,
        ),
    ] = None,
) -> FindingsDocument:
    """Return which hyperparameters, and which of their values, go with the best results.

    Experiments are ranked by one metric, among those that were trained on the same data.
    """
    who.check_project(project)
    rows = selected_experiments(store, store.experiment_ids(project, where=where), project)
    if rows.empty:
        detail = f"The project {project!r} has no such experiment."
        raise RefusedError(HTTPStatus.NOT_FOUND, detail)
    found = findings(store, rows, metric, summary, dataset_id)
    return FindingsDocument(
        project=project,
        metric=found.metric,
        metrics=found.metrics,
        data=_group(found.data),
        datasets=[_group(each) for each in found.datasets],
        runs=found.runs,
        headline=found.headline,
        importance=[Importance.model_validate(row) for row in _rows(found.importance)],
        values=[ValueResult.model_validate(row) for row in _rows(found.values)],
    )


def _group(group: DataGroup) -> DatasetGroup:
    return DatasetGroup(
        dataset_id=group.dataset_id, title=group.title, runs=len(group.experiment_ids)
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = plain(frame.to_dict("records"))
    return rows
