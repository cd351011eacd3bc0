"""A plot."""

from __future__ import annotations

import altair as alt
import streamlit as st


def show_figure(
    figure: alt.Chart | alt.LayerChart | alt.VConcatChart, name: str, *, key: str
) -> None:
    """Show a plot; its toolbar enlarges it, shows its data and downloads it as PNG.

    Args:
        figure: The plot.
        name: What it shows, for those who cannot see it.
        key: The name of the plot on its page.
    """
    st.altair_chart(figure, key=key, alt=name)
