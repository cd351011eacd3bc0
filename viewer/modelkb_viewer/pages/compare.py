"""Two or more experiments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_store.errors import AmbiguousIdError, ExperimentNotFoundError
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.content.metric_values import metric_names
from modelkb_viewer.content.selected_experiments import (
    LABEL,
    selected_experiments,
    unique_labels,
)
from modelkb_viewer.figures.colours import experiment_colours
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import compare_models, compare_results, curves, first_run, links

_MOST = 30
_OFFERED = 300
_SECONDS = 10
_PICKER = "compared"


def show() -> None:
    """Draw the comparison of the experiments that the address names."""
    with part("The comparison"):
        if first_run.is_needed():
            first_run.show()
            return
        st.title("Compare", anchor=False)
        store = opened_store()
        chosen = _pick(store, _ids_of_address(store))
        if len(chosen) < 2:
            st.info("Choose two experiments or more. A project's page offers those it lists, too.")
        if chosen:
            _show_comparison(store, selected_experiments(store, chosen))


def _ids_of_address(store: Store) -> list[str]:
    """Return whole ids; what the address names and is not there is said."""
    found = []
    for named in st.query_params.get_all(addresses.EXPERIMENT):
        try:
            found.append(store.experiment(named).id)
        except (ExperimentNotFoundError, AmbiguousIdError) as error:
            st.warning(plain(error), icon=":material/warning:")
    if len(found) > _MOST:
        st.warning(f"The first {_MOST} of {len(found)} experiments are compared.")
    return list(dict.fromkeys(found))[:_MOST]


def _pick(store: Store, chosen: list[str]) -> list[str]:
    """Draw a box to add and remove experiments; what is chosen goes into the address."""
    titles = _titles(store, tuple(chosen))
    # The address is what counts: a link to another comparison changes the box.
    if st.session_state.get(_PICKER) != chosen:
        st.session_state[_PICKER] = chosen
    picked = st.multiselect(
        "Experiments",
        list(titles),
        format_func=lambda each: titles.get(each, each),
        key=_PICKER,
        max_selections=_MOST,
        placeholder="Add an experiment",
        on_change=_keep_in_address,
    )
    if picked:
        with st.popover("Open", icon=":material/open_in_new:", type="tertiary"):
            for each in picked:
                links.experiment_link(each, titles[each])
    return picked


def _keep_in_address() -> None:
    st.query_params[addresses.EXPERIMENT] = st.session_state[_PICKER]


def _titles(store: Store, chosen: Sequence[str]) -> dict[str, str]:
    """Return what can be compared, by id: what is chosen, and the newest of the same projects."""
    known = selected_experiments(store, chosen)
    projects = list(dict.fromkeys(known["project"])) if len(known) else [None]
    tables = [known[["experiment_id", "name"]]]
    tables += [_newest(store.uri, project, store) for project in projects]
    offered = pd.concat(tables, ignore_index=True).drop_duplicates("experiment_id")
    labels = unique_labels(offered["name"], offered["experiment_id"])
    return dict(zip(offered["experiment_id"], labels, strict=True))


@st.cache_data(ttl=_SECONDS, max_entries=20, show_spinner=False)
def _newest(uri: str, project: str | None, _store: Store) -> pd.DataFrame:
    table = _store.experiment_table(project, order_by="-started_at", limit=_OFFERED)
    names: pd.DataFrame = table.select(["experiment_id", "name"]).to_pandas()
    return names


def _show_comparison(store: Store, experiments: pd.DataFrame) -> None:
    colours = experiment_colours(experiments[LABEL])

    def draw_curves(store: Store, experiments: pd.DataFrame) -> None:
        if metric_names(experiments):
            curves.show(store, experiments, colours)
        else:
            st.info("None of these experiments has a curve.")

    views: dict[str, Callable[[Store, pd.DataFrame], None]] = {
        "Overview": compare_results.show_overview,
        "Hyperparameters": compare_results.show_hyperparameters,
        "Metrics": compare_results.show_metrics,
        "Curves": draw_curves,
        "Evaluation": compare_results.show_evaluations,
        "Architecture": compare_models.show_architectures,
        "Script": compare_models.show_scripts,
        "Environment": compare_results.show_environments,
    }
    tabs = st.tabs(list(views), key=addresses.TAB, bind="query-params")
    for tab, (name, draw) in zip(tabs, views.items(), strict=True):
        if tab.open:
            with tab, part(name):
                draw(store, experiments)
