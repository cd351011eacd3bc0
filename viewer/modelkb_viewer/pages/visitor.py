"""Who looks at a page, and what they may do."""

from __future__ import annotations

import streamlit as st

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


def _visitor() -> Visitor | None:
    # As the browser sent it when this page was opened, or has been connected again.
    return VISITORS.find(st.context.cookies.get(cookie_name()))
