"""The charts of a project's page, over the experiments that are selected or found."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.content.metric_values import metric_names
from modelkb_viewer.content.selected_experiments import selected_experiments
from modelkb_viewer.pages import curves, hyperparameter_charts

_CURVES = "Curves"
_CHARTS: dict[str, Callable[[Store, pd.DataFrame], None]] = {
    _CURVES: curves.show,
    "What works best here": hyperparameter_charts.show_what_works,
    "Importance": hyperparameter_charts.show_importance,
    "Metric against hyperparameter": hyperparameter_charts.show_metric_against,
    "Parallel coordinates": hyperparameter_charts.show_parallel,
}


def show(store: Store, project: str, experiment_ids: list[str]) -> None:
    """Draw charts over some experiments of a project, one at a time.

    Args:
        store: The store.
        project: The project.
        experiment_ids: Whole ids.
    """
    st.subheader("Charts")
    experiments = selected_experiments(store, experiment_ids, project)
    if experiments.empty or not metric_names(experiments):
        st.info("There is nothing to draw: no experiment with metrics is selected.")
        return
    _show_charts(store, experiments)


# What is chosen here changes nothing in the rest of the page.
@st.fragment
def _show_charts(store: Store, experiments: pd.DataFrame) -> None:
    number = len(experiments)
    st.caption(f"Over {number} experiment{'' if number == 1 else 's'}")
    tabs = st.tabs(list(_CHARTS), key=addresses.CHART, bind="query-params")
    for tab, (name, draw) in zip(tabs, _CHARTS.items(), strict=True):
        if tab.open:
            with tab, part(name):
                draw(store, experiments)
