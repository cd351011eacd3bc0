"""Who looks at a page, and what they may do."""

from __future__ import annotations

from datetime import datetime, timezone
from http import HTTPStatus

import streamlit as st

from modelkb_store import Experiment
from modelkb_store.audit_log import AuditEntry
from modelkb_store.files.open_files import is_server
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.api.audit import opened_audit
from modelkb_viewer.routes.sign_in import cookie_name
from modelkb_viewer.visitors import VISITORS, Visitor


def may_edit() -> bool:
    """Return whether notes and tags may be changed, trainings run, and what is tried recorded."""
    visitor = _visitor()
    return visitor is not None and visitor.may_edit


def is_signed_in() -> bool:
    """Return whether somebody has signed in, and can sign out."""
    visitor = _visitor()
    return visitor is not None and visitor.session is not None


def sign_out() -> None:
    """End the session; its open pages then go to the page to sign in."""
    visitor = _visitor()
    if visitor is not None and visitor.session is not None:
        VISITORS.sign_out(visitor.session)


def why_not(what: str) -> str:
    """Return the sentence for those who may only read.

    Args:
        what: What they may not do, as the beginning of a sentence.
    """
    return f"{what} takes a token with the scope write; you have signed in with one for reading."


def note_edit(experiment: Experiment) -> None:
    """Note who has changed tags or notes, as the API does; a server notes it by itself."""
    visitor = _visitor()
    if visitor is None or is_server(resolve_store_location(None)):
        return
    address = st.context.ip_address
    opened_audit().add(
        AuditEntry(
            at=datetime.now(timezone.utc),
            token_id=visitor.token_id,
            token_name=visitor.token_name,
            address=address if isinstance(address, str) else "",
            method="PATCH",
            route="/experiments/{experiment_id}",
            parameters={"experiment_id": experiment.id, "project": experiment.project},
            status=HTTPStatus.OK.value,
        )
    )


def _visitor() -> Visitor | None:
    # As the browser sent it when this page was opened, or has been connected again.
    return VISITORS.find(st.context.cookies.get(cookie_name()))
