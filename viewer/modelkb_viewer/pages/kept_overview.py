"""What a project's experiments have, kept for some seconds for all who look."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Store
from modelkb_viewer.content.project_overview import ProjectOverview, overview

_SECONDS = 10
_PROJECTS = 4


def kept_overview(store: Store, project: str) -> ProjectOverview:
    """Return the overview of a project; it may be some seconds old."""
    return _overview(store, store.uri, project)


@st.cache_resource(ttl=_SECONDS, max_entries=_PROJECTS, show_spinner=False)
def _overview(_store: Store, uri: str, project: str) -> ProjectOverview:
    return overview(_store, project)
