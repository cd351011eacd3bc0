"""One project: all of its experiments in a table, and charts of those that are chosen."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.content.project_overview import ProjectOverview
from modelkb_viewer.content.recent_experiments import running_count
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import first_run, project_charts
from modelkb_viewer.pages.kept_overview import kept_overview
from modelkb_viewer.pages.project_controls import choose_view
from modelkb_viewer.pages.project_list import show_projects
from modelkb_viewer.pages.project_table import ProjectTable

_MOST_CHARTED = 500
_SECONDS_BEFORE_CHARTS = 1.0
_HAS_CHARTS = "the project page has charts"


def show() -> None:
    """Draw the page of the project that the address names; without one, offer the projects."""
    with part("The project"):
        if first_run.is_needed():
            first_run.show()
            return
        store, project = opened_store(), st.query_params.get(addresses.PROJECT)
        if project is None:
            st.title("Projects", anchor=False)
            show_projects(store)
            return
        known = kept_overview(store, project)
        if known.rows.num_rows:
            _show_project(store, project, known)
        else:
            st.title("Projects", anchor=False)
            st.warning(f"There is no experiment in a project {plain(project)}.")
            show_projects(store)


def _show_project(store: Store, project: str, known: ProjectOverview) -> None:
    st.title(plain(project), anchor=False)
    running = running_count(store, project)
    st.caption(_summary(store, project, running))
    view = choose_view(store, project, known)
    table = ProjectTable(store, project, view, known.rows.num_rows, running)
    table.show()
    if not table.ids:
        return
    if st.session_state.get(_HAS_CHARTS):
        with part("Charts"):
            newest = sorted(table.ids, reverse=True)[:_MOST_CHARTED]
            project_charts.show(store, project, table.selected or newest)
    else:
        _let_charts_follow()


def _let_charts_follow() -> None:
    """Draw the page again, with charts, once the browser has shown the table.

    A browser that has to load what draws charts would show the table half a second later.
    """
    is_shown = False

    def follow() -> None:
        nonlocal is_shown
        if is_shown:
            st.session_state[_HAS_CHARTS] = True
            st.rerun()
        st.caption("Charts follow.")
        is_shown = True

    st.fragment(follow, run_every=_SECONDS_BEFORE_CHARTS)()


def _summary(store: Store, project: str, running: int) -> str:
    projects = store.projects()
    row = projects[projects["project"] == project].iloc[0]
    facts = [f"{int(row['experiment_count']):,} experiments"]
    if running:
        facts.append(f"{running} running")
    for name in ("owner", "application", "description"):
        if isinstance(row[name], str) and row[name]:
            facts.append(f"{name} {plain(row[name])}")
    return " · ".join(facts)
