"""The curves of one experiment: a plot for each metric, and their values."""

from __future__ import annotations

from typing import cast

import pandas as pd
import streamlit as st

from modelkb_store import Experiment, Store
from modelkb_store.records import Status
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.column_settings import FOUR_DIGITS
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import download_menu, show_table
from modelkb_viewer.content.experiment_curves import (
    metric_curves,
    metric_values,
    metrics_with_words,
)
from modelkb_viewer.figures.curves import X_TITLES, XAxis, curves_figure
from modelkb_viewer.figures.smoothing import MOST_SMOOTHING
from modelkb_viewer.pages.refreshing import live

_COLUMNS = 2
_MOST_PLOTS = 12
_PLOTS_KEPT = 200


def show(store: Store, experiment: Experiment, search: str = "") -> None:
    """Draw a plot for each metric; while the experiment runs they grow by themselves.

    Args:
        store: The store.
        experiment: The experiment.
        search: Only metrics with all of these words.
    """
    runs = experiment.record.status == Status.RUNNING.value
    names = metrics_with_words(_metrics_of(experiment), search)
    if not names and (search or not runs):
        if not search:
            st.subheader("Metrics", anchor=False)
            st.caption("No metric was recorded.")
        return
    st.subheader("Metrics", anchor=False)
    first, second, third = st.columns([1, 2, 1], vertical_alignment="bottom")
    x = cast("XAxis", choose("Over", X_TITLES, key=addresses.X, place=first))
    smoothing = second.slider(
        "Smoothing",
        0.0,
        MOST_SMOOTHING,
        0.0,
        0.01,
        key=addresses.SMOOTHING,
        bind="query-params",
        help="Exponential moving average: how much of the average before is kept.",
    )
    log = third.toggle("Log scale", key=addresses.LOG, bind="query-params")

    def draw() -> None:
        with part("Curves"):
            _draw(experiment, search, x, smoothing, log)

    live(draw, running=runs)


def _metrics_of(experiment: Experiment) -> list[str]:
    return list(dict.fromkeys(experiment.table("metrics")["metric"].to_pylist()))


def _draw(experiment: Experiment, search: str, x: XAxis, smoothing: float, log: bool) -> None:
    metrics = experiment.metrics()
    no_batches = metrics.iloc[:0]
    by_batch = no_batches if x == "epoch" else experiment.batch_metrics()
    record = experiment.record
    curves = metric_curves(metrics, by_batch, x, record.started_at, record.name)
    names = metrics_with_words(list(curves), search)
    if not names:
        st.caption("The first epoch has not ended yet.")
        return
    if len(names) > _MOST_PLOTS:
        st.caption(f"The first {_MOST_PLOTS} of {len(names)} metrics are drawn; search for others.")
    for start in range(0, min(len(names), _MOST_PLOTS), _COLUMNS):
        row = names[start : min(start + _COLUMNS, _MOST_PLOTS)]
        for column, metric in zip(st.columns(_COLUMNS), row, strict=False):
            with column, part(f"The curve of {metric}"):
                _plot(metric, curves[metric], x, smoothing, log)
    values = metric_values(metrics)
    shown = values[values["Metric"].isin(names)]
    number = st.column_config.NumberColumn(format=FOUR_DIGITS)
    show_table(
        shown,
        f"Metrics of {record.name}",
        key="metric-values",
        whole=lambda: metrics,
        column_config=dict.fromkeys(["First", "Best", "Last"], number),
        placeholder="",
    )


def _plot(metric: str, frame: pd.DataFrame, x: XAxis, smoothing: float, log: bool) -> None:
    _show_curve(metric, frame, x, smoothing, log)
    download_menu(frame, f"curve of {metric}", key=f"curve-{metric}-data")


# A plot takes fifty times as long to make as to show again, which it is while an epoch goes on.
@st.cache_data(show_spinner=False, max_entries=_PLOTS_KEPT)
def _show_curve(metric: str, frame: pd.DataFrame, x: XAxis, smoothing: float, log: bool) -> None:
    st.markdown(f"**{plain(metric)}**")
    figure = curves_figure(frame, x=x, smoothing=smoothing, log=log, value_title=metric, height=280)
    show_figure(figure, f"{metric} over {X_TITLES[x].lower()}", key=f"curve-{metric}")
