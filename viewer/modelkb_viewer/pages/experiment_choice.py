"""A choice of experiments, where the address names none."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.column_settings import FOUR_DIGITS, column_settings
from modelkb_viewer.components.open_column import clicked_target, open_column
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.recent_experiments import recent_experiments
from modelkb_viewer.pages import links

_KEY = "open-experiment"


def show(store: Store) -> None:
    """Draw the recent experiments, to choose one."""
    st.title("Experiment", anchor=False)
    if chosen := clicked_target(_KEY):
        links.open_experiment(chosen)
    search = st.text_input(
        "Search experiments",
        key=addresses.SEARCH,
        bind="query-params",
        type="search",
        live=True,
        icon=":material/search:",
        placeholder="Words in a name, id, project, owner, tag or note",
    )
    recent = recent_experiments(store, search or "")
    if recent.empty:
        st.caption("No experiment has these words.")
        return
    name = open_column(
        "Name",
        recent["experiment_id"].to_list(),
        key=_KEY,
        help_text="Click on a name to see the experiment.",
    )
    settings = column_settings(
        recent,
        name=name,
        metric=st.column_config.TextColumn("Metric"),
        value=st.column_config.NumberColumn("Value", format=FOUR_DIGITS, help="The last value"),
    )
    show_table(
        recent,
        "Recent experiments",
        key="recent",
        column_config=settings,
        column_order=[column for column in recent.columns if column != "experiment_id"],
    )
