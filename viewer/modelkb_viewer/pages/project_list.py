"""A table of projects, in which a click opens one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_viewer.components.column_settings import FOUR_DIGITS, time_column
from modelkb_viewer.components.open_box import open_box
from modelkb_viewer.components.open_column import clicked_target, open_column
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.project_list import list_projects
from modelkb_viewer.pages import links

_KEY = "open-project"
_BOX = "project-to-open"
_COLUMNS = (
    *("project", "owner", "application", "experiments", "running", "best", "best_metric"),
    *("last_activity", "description"),
)


def show_projects(store: Store, search: str = "") -> None:
    """Draw the table, or go to the project that was clicked.

    Args:
        store: The store.
        search: Only projects with these words.
    """
    if project := clicked_target(_KEY):
        links.open_project(project)
    projects = list_projects(store, search)
    if projects.empty:
        st.caption("No project has these words.")
        return
    shown = [name for name in _COLUMNS if _says_something(projects, name)]
    help_text = "Click on a name to see the project's experiments."
    settings = {
        "project": open_column(
            "Project", projects["project"].to_list(), key=_KEY, help_text=help_text
        ),
        "owner": "Owner",
        "application": "Application",
        "experiments": st.column_config.NumberColumn("Experiments", format="localized"),
        "running": st.column_config.NumberColumn("Running"),
        "best": st.column_config.NumberColumn(
            "Best", format=FOUR_DIGITS, help="The best value of any epoch of any experiment"
        ),
        "best_metric": st.column_config.TextColumn("Of metric"),
        "last_activity": time_column("Last activity"),
        "description": "Description",
    }
    show_table(projects[shown], "Projects", key="projects", column_config=settings, placeholder="")
    names = projects["project"].to_list()
    if chosen := open_box("Open a project", dict(zip(names, names, strict=True)), key=_BOX):
        links.open_project(chosen)


def _says_something(projects: pd.DataFrame, column: str) -> bool:
    if column == "running":
        return bool(projects[column].any())
    return column in ("project", "experiments") or bool(projects[column].notna().any())
