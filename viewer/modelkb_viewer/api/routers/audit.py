"""``/audit``: who has changed what, for those who govern the server."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Query

from modelkb_store.audit_log import read_audit
from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.audit import opened_audit
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import AuditDocument
from modelkb_viewer.api.moment import Moment

router = APIRouter(tags=["audit"])

_LARGEST_PAGE = 10_000


@router.get("/audit")
def list_writes(  # noqa: PLR0917 - FastAPI passes all by name
    store: AskedStore,
    who: AskedBy,
    project: Annotated[str | None, Query(description="Only what was about it.")] = None,
    since: Annotated[Moment | None, Query(description="None before this time.")] = None,
    until: Annotated[Moment | None, Query(description="None from this time on.")] = None,
    offset: Annotated[int, Query(ge=0, description="How many to pass over.")] = 0,
    limit: Annotated[int, Query(ge=0, le=_LARGEST_PAGE, description="No more than these.")] = 100,
) -> list[AuditDocument]:
    """Return who has changed what through servers of this store, the newest first."""
    project = who.project_of(project)
    opened_audit().flush()
    found = read_audit(
        store.files, since=since, until=until, project=project, offset=offset, limit=limit
    )
    return [AuditDocument.model_validate(dataclasses.asdict(each)) for each in found]
