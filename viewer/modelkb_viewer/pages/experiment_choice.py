"""A choice of experiments, where the address names none."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.content.recent_experiments import recent_experiments
from modelkb_viewer.pages import recent_table


def show(store: Store) -> None:
    """Draw the recent experiments, to choose one."""
    st.title("Experiment", anchor=False)
    recent_table.open_what_was_clicked()
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
    recent_table.show(recent)
