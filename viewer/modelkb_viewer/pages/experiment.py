"""One experiment: what is recorded, the architecture, predictions on the fly, the code."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import (
    experiment_architecture,
    experiment_code,
    experiment_metadata,
    experiment_test,
)

_TABS: dict[str, Callable[[Experiment], None]] = {
    "Metadata": experiment_metadata.show,
    "Architecture": experiment_architecture.show,
    "Test": experiment_test.show,
    "Code": experiment_code.show,
}


def show() -> None:
    """Draw the page of the experiment that the address names."""
    experiment_id = st.query_params.get(addresses.EXPERIMENT)
    with part("The experiment"):
        if experiment_id is None:
            st.info("Choose an experiment on the dashboard or on a project's page.")
            return
        _show_experiment(opened_store().experiment(experiment_id))


def _show_experiment(experiment: Experiment) -> None:
    st.title(experiment.record.name)
    tabs = st.tabs(list(_TABS), key=addresses.TAB, bind="query-params")
    for tab, (name, show_tab) in zip(tabs, _TABS.items(), strict=True):
        if tab.open:
            with tab, part(f"The tab {name}"):
                show_tab(experiment)
