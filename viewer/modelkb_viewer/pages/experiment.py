"""One experiment: what is recorded, the architecture, predictions on the fly, the code."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from modelkb_store import AmbiguousIdError, Experiment, ExperimentNotFoundError, Store
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import (
    experiment_architecture,
    experiment_choice,
    experiment_code,
    experiment_head,
    experiment_metadata,
    experiment_test,
    first_run,
)
from modelkb_viewer.pages.refreshing import follow_run

_TABS: dict[str, Callable[[Experiment], None]] = {
    "Metadata": experiment_metadata.show,
    "Architecture": experiment_architecture.show,
    "Test": experiment_test.show,
    "Code": experiment_code.show,
}


def show() -> None:
    """Draw the page of the experiment that the address names, or a choice of them."""
    with part("The experiment"):
        if first_run.is_needed():
            first_run.show()
            return
        store = opened_store()
        wanted = st.query_params.get(addresses.EXPERIMENT)
        experiment = _found(store, wanted) if wanted else None
        if experiment is None:
            experiment_choice.show(store)
        else:
            _show_experiment(store, experiment)


def _found(store: Store, wanted: str) -> Experiment | None:
    """Return the experiment with an id, a part of it, or a name; None if it is not one."""
    try:
        return store.experiment(wanted)
    except (ExperimentNotFoundError, AmbiguousIdError) as error:
        st.warning(plain(error), icon=":material/search_off:")
        return None


def _show_experiment(store: Store, experiment: Experiment) -> None:
    follow_run(store, experiment)
    experiment_head.show(store, experiment)
    tabs = st.tabs(list(_TABS), key=addresses.TAB, bind="query-params")
    for tab, (name, show_tab) in zip(tabs, _TABS.items(), strict=True):
        if tab.open:
            with tab, part(f"The tab {name}"):
                show_tab(experiment)
