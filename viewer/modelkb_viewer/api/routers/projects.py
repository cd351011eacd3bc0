"""``/projects``: what experiments are held together by."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import ProjectDocument
from modelkb_viewer.api.problems import RefusedError, answers

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("")
def list_projects(store: AskedStore, who: AskedBy) -> list[ProjectDocument]:
    """Return the projects of the store, by name."""
    rows = store.project_table().to_pylist()
    return [
        ProjectDocument.model_validate(row) for row in rows if who.project in (None, row["project"])
    ]


@router.get("/{project}", responses=answers(HTTPStatus.NOT_FOUND))
def get_project(
    store: AskedStore,
    project: Annotated[str, Path(description="The name of a project.")],
    who: AskedBy,
) -> ProjectDocument:
    """Return one project."""
    for document in list_projects(store, who):
        if document.project == project:
            return document
    raise RefusedError(HTTPStatus.NOT_FOUND, f"The store has no project {project!r}.")
