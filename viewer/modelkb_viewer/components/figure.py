"""A plot."""

from __future__ import annotations

from typing import Any

import altair as alt
import streamlit as st

Figure = alt.Chart | alt.LayerChart | alt.VConcatChart | dict[str, Any]


def show_figure(figure: Figure, name: str, *, key: str) -> None:
    """Show a plot; its toolbar enlarges it, shows its data and downloads it as PNG.

    Args:
        figure: The plot, by Altair or in Vega-Lite's own words.
        name: What it shows, for those who cannot see it.
        key: The name of the plot on its page.
    """
    if isinstance(figure, dict):
        st.vega_lite_chart(spec=figure, key=key, alt=name)
    else:
        st.altair_chart(figure, key=key, alt=name)
