"""The tab Metadata of an experiment's page: everything that is recorded, and curves of it."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer import addresses
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.recorded_facts import FactGroup, fact_groups, matching
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import (
    experiment_curves,
    experiment_data,
    experiment_evaluations,
    experiment_lineage,
    experiment_notes,
    experiment_records,
    experiment_resources,
)


def show(experiment: Experiment) -> None:
    """Draw the tab; of a search only what has its words."""
    search = st.text_input(
        "Search everything that is recorded",
        key=addresses.SEARCH,
        bind="query-params",
        type="search",
        live=True,
        icon=":material/search:",
        placeholder="Words in a name or value, such as learning rate, numpy, or a commit",
    )
    if search and search.strip():
        _show_found(experiment, search)
        return
    with part("Notes and tags"):
        experiment_notes.show(opened_store(), experiment)
    with part("Curves"):
        experiment_curves.show(opened_store(), experiment)
    with part("Evaluations"):
        experiment_evaluations.show(experiment)
    with part("Learning rate and resources"):
        experiment_resources.show(experiment)
    with part("Data"):
        experiment_data.show(experiment)
    with part("Lineage"):
        experiment_lineage.show(opened_store(), experiment)
    with part("Everything else"):
        experiment_records.show(experiment, _groups(experiment))


def _show_found(experiment: Experiment, search: str) -> None:
    groups = _groups(experiment)
    found = matching(groups, search)
    count = sum(len(group.facts) for group in found)
    st.caption(f"{count:,} of {sum(len(group.facts) for group in groups):,} facts")
    with part("Curves"):
        experiment_curves.show(opened_store(), experiment, search)
    for group in found:
        st.subheader(f"{plain(group.title)} ({len(group.facts):,})", anchor=False)
        show_table(group.facts, f"{group.title} found", key=f"found-{group.title}")
    if not found:
        st.info("Nothing that is recorded has all of these words.")


def _groups(experiment: Experiment) -> list[FactGroup]:
    zone, record = st.context.timezone, experiment.record
    if record.ended_at is None:
        return fact_groups(experiment, zone)
    return _kept_groups(experiment.id, repr(record), zone, experiment)


@st.cache_data(max_entries=20, ttl=60, show_spinner=False)
def _kept_groups(
    experiment_id: str, record: str, zone: str | None, _experiment: Experiment
) -> list[FactGroup]:
    return fact_groups(_experiment, zone)
