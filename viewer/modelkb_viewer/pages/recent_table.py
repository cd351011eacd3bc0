"""The table of recent experiments, where a click on a name opens one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from modelkb_viewer.components.column_settings import FOUR_DIGITS, column_settings
from modelkb_viewer.components.open_column import clicked_target, open_column
from modelkb_viewer.components.table import show_table
from modelkb_viewer.pages import links

_KEY = "open-experiment"


def open_what_was_clicked() -> None:
    """Go to the experiment whose name was clicked, if one was; before the table is drawn."""
    if chosen := clicked_target(_KEY):
        links.open_experiment(chosen)


def show(recent: pd.DataFrame) -> None:
    """Draw the table.

    Args:
        recent: Of :func:`modelkb_viewer.content.recent_experiments.recent_experiments`.
    """
    help_text = "Click on a name to see the experiment."
    settings = column_settings(
        recent,
        name=open_column("Name", recent["experiment_id"].to_list(), key=_KEY, help_text=help_text),
        metric=st.column_config.TextColumn("Metric"),
        value=st.column_config.NumberColumn("Value", format=FOUR_DIGITS, help="The last value"),
    )
    show_table(
        recent,
        "Recent experiments",
        key="recent",
        column_config=settings,
        column_order=[name for name in recent.columns if name != "experiment_id"],
        placeholder="",
    )
