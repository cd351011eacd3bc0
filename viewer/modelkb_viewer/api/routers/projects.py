"""``/projects``: what experiments are held together by."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.documents import ProjectDocument
from modelkb_viewer.api.problems import RequestProblem, answers

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("")
def list_projects(store: AskedStore) -> list[ProjectDocument]:
    """Return the projects of the store, by name."""
    return [ProjectDocument.model_validate(row) for row in store.project_table().to_pylist()]


@router.get("/{project}", responses=answers(HTTPStatus.NOT_FOUND))
def get_project(store: AskedStore, project: str) -> ProjectDocument:
    """Return one project."""
    for row in store.project_table().to_pylist():
        if row["project"] == project:
            return ProjectDocument.model_validate(row)
    raise RequestProblem(HTTPStatus.NOT_FOUND, f"The store has no project {project!r}.")
