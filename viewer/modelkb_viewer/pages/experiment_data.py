"""What the data of an experiment is like."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer.components.column_settings import FOUR_DIGITS
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.table import download_menu, show_table
from modelkb_viewer.content.data_description import (
    SPLITS,
    class_counts,
    data_arrays,
    data_facts,
)
from modelkb_viewer.figures.class_counts import class_counts_figure


def show(experiment: Experiment) -> None:
    """Draw training and validation data side by side."""
    datasets = {title: experiment.dataset(split) for split, title in SPLITS.items()}
    known = {title: dataset for title, dataset in datasets.items() if dataset}
    if not known:
        return
    st.subheader("Data", anchor=False)
    for column, (title, dataset) in zip(st.columns(2), known.items(), strict=False):
        with column:
            st.markdown(f"**{title}**")
            facts = list(data_facts(dataset).items())
            st.dataframe(pd.DataFrame(facts, columns=["Name", "Value"]), hide_index=True, alt=title)
            arrays = data_arrays(dataset)
            if len(arrays):
                number = st.column_config.NumberColumn(format=FOUR_DIGITS)
                show_table(
                    arrays,
                    f"Inputs and targets of {title.lower()}",
                    key=f"arrays-{title}",
                    column_config={"Smallest": number, "Largest": number},
                    placeholder="",
                )
    counts = class_counts(experiment)
    if len(counts):
        st.markdown("**Samples of each class**")
        name = f"Samples of each of {counts['place'].nunique()} classes"
        show_figure(class_counts_figure(counts), name, key="class-counts")
        download_menu(
            counts.drop(columns="place"), "samples of each class", key="class-counts-data"
        )
