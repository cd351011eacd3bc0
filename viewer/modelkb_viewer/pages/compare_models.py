"""Of two experiments of a comparison: their architectures and their scripts."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from modelkb_store import Experiment, Store
from modelkb_store.errors import ModelKBError
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.architecture_difference import (
    architecture_difference,
    difference_in_words,
)
from modelkb_viewer.content.script_difference import script_difference
from modelkb_viewer.content.selected_experiments import LABEL

_MOST_SCRIPTS = 50
# A training that goes on may still change what is known of it.
_SECONDS = 60
_SAME = "same"


def show_architectures(store: Store, experiments: pd.DataFrame) -> None:
    """Draw the layers of two experiments side by side."""
    chosen = _choose_two(experiments)
    if chosen is None:
        return
    first, second = (store.experiment(each) for each in chosen.values())
    frame = architecture_difference(first, second)
    if first.record.architecture_id == second.record.architecture_id:
        st.success("Both have the same architecture.", icon=":material/check:")
    st.text(difference_in_words(frame))
    differences = st.toggle("Only differences", key=addresses.DIFFERENCES, bind="query-params")
    shown = frame[frame["change"] != _SAME] if differences else frame
    names = list(chosen)
    if len(shown):
        show_table(
            shown,
            "Architecture difference",
            key="architecture-difference",
            height="content",
            placeholder="",
            column_config={
                "change": "Change",
                "class": "Layer class",
                "first": f"In {names[0]}",
                "second": f"In {names[1]}",
                "setting": "Setting",
                "first_value": f"Value in {names[0]}",
                "second_value": f"Value in {names[1]}",
            },
        )


def show_scripts(store: Store, experiments: pd.DataFrame) -> None:
    """Draw the difference of the scripts that two experiments are written again as."""
    chosen = _choose_two(experiments)
    if chosen is None:
        return
    scripts: list[str] = []
    with st.spinner("Writing the scripts"):
        for label, each in chosen.items():
            try:
                scripts.append(_script(store.uri, each, store.experiment(each)))
            except ModelKBError as error:
                st.error(f"The script of {plain(label)} cannot be written. {plain(error)}")
    if len(scripts) < len(chosen):
        return
    first, second = chosen
    difference = script_difference(scripts[0], scripts[1], (first, second))
    if not difference:
        st.success("Both scripts are the same.", icon=":material/check:")
        return
    st.code(difference, language="diff", wrap_lines=True)
    st.download_button(
        "Download the difference",
        difference,
        "scripts.diff",
        "text/x-diff",
        icon=":material/download:",
        on_click="ignore",
    )


def _choose_two(experiments: pd.DataFrame) -> dict[str, str] | None:
    """Draw the choice of two experiments; return their ids by label."""
    if len(experiments) < 2:
        st.info("This needs two experiments.")
        return None
    ids = dict(zip(experiments[LABEL], experiments["experiment_id"], strict=True))
    left, right = st.columns(2)
    first = choose("From", list(ids), key=addresses.FROM, place=left)
    second = choose("To", list(ids), index=1, key=addresses.TO, place=right)
    if first == second:
        st.info("Choose two different experiments.")
        return None
    return {first: ids[first], second: ids[second]}


# Written once: code of hundreds of layers takes seconds.
@st.cache_data(ttl=_SECONDS, max_entries=_MOST_SCRIPTS, show_spinner=False)
def _script(uri: str, experiment_id: str, _experiment: Experiment) -> str:
    return _experiment.script()
