"""The dashboard: the projects, and what happened last in all of them."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.open_box import open_box
from modelkb_viewer.components.part import part
from modelkb_viewer.content.recent_experiments import recent_experiments, running_count
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import first_run, links, recent_table
from modelkb_viewer.pages.project_list import show_projects
from modelkb_viewer.pages.refreshing import refreshing

_BOX = "experiment-to-open"


def show() -> None:
    """Draw the page."""
    with part("The dashboard"):
        if first_run.is_needed():
            first_run.show()
        else:
            _show_store(opened_store())


def _show_store(store: Store) -> None:
    st.title("Dashboard", anchor=False)
    search = st.text_input(
        "Search projects and experiments",
        key=addresses.SEARCH,
        bind="query-params",
        type="search",
        live=True,
        icon=":material/search:",
        placeholder="Words in a name, owner, application, tag or note",
    )
    running = running_count(store)

    def draw() -> None:
        _show_what_is_there(store, search or "", running)

    refreshing("The dashboard", draw, running=running > 0)


def _show_what_is_there(store: Store, search: str, running_before: int) -> None:
    running = running_count(store)
    # It is looked for changes more or less often from now on, or the store has vanished.
    if bool(running) != bool(running_before) or first_run.is_needed():
        st.rerun()
    st.subheader("Projects", anchor=False)
    with part("The projects"):
        show_projects(store, search)
    st.subheader("Recent experiments", anchor=False)
    if running:
        st.caption(f"{running} running now, on top of the table.")
    with part("The recent experiments"):
        _show_recent(store, search)


def _show_recent(store: Store, search: str) -> None:
    recent_table.open_what_was_clicked()
    recent = recent_experiments(store, search)
    if recent.empty:
        st.caption("No experiment has these words.")
        return
    recent_table.show(recent)
    words = (recent["name"] + " of " + recent["project"]).to_list()
    targets = dict(zip(recent["experiment_id"], words, strict=True))
    if chosen := open_box("Open an experiment", targets, key=_BOX):
        links.open_experiment(chosen)
