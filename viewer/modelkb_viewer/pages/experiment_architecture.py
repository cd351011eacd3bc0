"""The tab Architecture of an experiment's page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer import addresses
from modelkb_viewer.components.model_drawing import show_model_drawing
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.compilation import compile_settings, compile_table
from modelkb_viewer.content.layers import Layer, layer_table, layers_of, totals

_TABLE = "layer-table"
_NO_CONFIGURATION = (
    "This model cannot be drawn: Keras could not serialize it, as a class of one's own needs a "
    "`get_config()` that works. Its layers are in the table."
)


def show(experiment: Experiment) -> None:
    """Draw the tab."""
    drawing, reading = st.columns([5, 6], gap="medium")
    with drawing, part("The drawing of the model"):
        _show_drawing(experiment)
    with reading, part("The layers"):
        _show_layers(experiment)
    with part("The compile configuration"):
        _show_compilation(experiment)


def _show_drawing(experiment: Experiment) -> None:
    st.subheader("Drawing")
    if experiment.architecture().model_config is None:
        st.info(_NO_CONFIGURATION, icon=":material/info:")
        return
    st.caption("Click on a layer to see its configuration.")
    name = experiment.model().get("name") or experiment.record.name
    show_model_drawing(str(experiment.record.architecture_id), str(name))


def _show_layers(experiment: Experiment) -> None:
    st.subheader("Layers")
    layers = layers_of(experiment)
    if not layers:
        st.info("No layers were recorded.")
        return
    with st.container(horizontal=True, gap="medium"):
        for name, count in totals(experiment).items():
            st.metric(name, f"{count:,}", width="content")
    table = layer_table(experiment)
    show_table(
        table,
        "Layers",
        key=_TABLE,
        on_select=lambda: _choose(list(layers)),
        selection_mode="single-row",
        column_config={"Parameters": st.column_config.NumberColumn(format="localized")},
        height=min(388, 38 + 35 * len(table)),
    )
    chosen = st.selectbox(
        "Layer",
        list(layers),
        index=None,
        placeholder="Choose a layer here or in the table",
        key=addresses.LAYER,
        bind="query-params",
    )
    if chosen is not None:
        _show_layer(layers[chosen])


def _choose(paths: list[str]) -> None:
    """Make the row that was selected the layer that is shown."""
    rows: Any = st.session_state[_TABLE].selection.rows
    st.session_state[addresses.LAYER] = paths[rows[0]] if rows else None


def _show_layer(layer: Layer) -> None:
    facts = {
        "Class": layer.class_name,
        "Output shape": layer.output_shape,
        "Data type": layer.dtype,
        "Inputs": ", ".join(layer.inputs),
    }
    lines = [f"{name}: {plain(value)}" for name, value in facts.items() if value]
    st.markdown("  \n".join(lines))
    if layer.settings is None:
        st.caption("It has no configuration of its own.")
    else:
        st.json(dict(layer.settings), expanded=2)


def _show_compilation(experiment: Experiment) -> None:
    st.subheader("Compiled with")
    settings = compile_settings(experiment)
    if not settings:
        st.info("How the model was compiled was not recorded.")
        return
    show_table(compile_table(experiment), "Compile configuration", key="compile-table")
    with st.expander("As Keras serializes it"):
        st.json(settings, expanded=1)
