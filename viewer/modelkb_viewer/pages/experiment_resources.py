"""Learning rate over epochs, and what the process used over time."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment
from modelkb_store.records import Status
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.part import part
from modelkb_viewer.components.table import download_menu
from modelkb_viewer.content.resource_use import learning_rates, resource_curves
from modelkb_viewer.figures.curves import XAxis, curves_figure

_COLUMNS = 2
# Nobody waits for the next sample, and a learning rate is seen beside those before it.
_SECONDS_WHILE_RUNNING = 20


def show(experiment: Experiment) -> None:
    """Draw a plot for each of what was measured; while the experiment runs they grow."""
    runs = experiment.record.status == Status.RUNNING.value

    def draw() -> None:
        with part("Learning rate and resources"):
            _draw(experiment)

    st.fragment(draw, run_every=_SECONDS_WHILE_RUNNING if runs else None)()


def _draw(experiment: Experiment) -> None:
    rates = learning_rates(experiment)
    plots = {"Learning rate": rates} if len(rates) else {}
    plots |= resource_curves(experiment)
    if not plots:
        return
    st.subheader("Learning rate and resources", anchor=False)
    names = list(plots)
    for start in range(0, len(names), _COLUMNS):
        row = names[start : start + _COLUMNS]
        for column, name in zip(st.columns(_COLUMNS), row, strict=False):
            with column, part(name):
                st.markdown(f"**{name}**")
                x: XAxis = "epoch" if name == "Learning rate" else "time"
                figure = curves_figure(plots[name], x=x, value_title=name, height=240)
                show_figure(figure, f"{name} over {x}", key=f"plot-{name}")
                download_menu(plots[name], name, key=f"plot-{name}-data")
