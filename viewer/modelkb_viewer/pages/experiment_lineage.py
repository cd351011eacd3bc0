"""Where an experiment comes from and what came out of it, as a graph."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment, Store
from modelkb_viewer.content.experiment_frame import status_text
from modelkb_viewer.content.lineage import lineage_of
from modelkb_viewer.figures.lineage_graph import lineage_graph
from modelkb_viewer.pages import links


def show(store: Store, experiment: Experiment) -> None:
    """Draw the graph, and links to those in it; nothing for an experiment without relatives."""
    lineage = lineage_of(store, experiment.id)
    others = [each for each in lineage.relatives if each.experiment_id != experiment.id]
    if not others:
        return
    st.subheader("Lineage", anchor=False)
    count = len(others) + lineage.left_out
    st.graphviz_chart(
        lineage_graph(lineage),
        width="content",
        alt=f"Lineage of {experiment.record.name}: {count} related experiments",
    )
    if lineage.left_out:
        st.caption(f"{lineage.left_out} more are not shown.")
    with st.container(horizontal=True, gap="small"):
        for each in others:
            if each.name is not None:
                links.experiment_link(
                    each.experiment_id, f"{each.name} ({status_text(each.status)})"
                )
