"""The curves of one experiment: a plot for each metric, and their values."""

from __future__ import annotations

from typing import cast

import numpy as np
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
from modelkb_viewer.components.smoothing_slider import choose_smoothing
from modelkb_viewer.components.table import download_menu
from modelkb_viewer.content.experiment_curves import (
    metric_curves,
    metric_values,
    metrics_with_words,
)
from modelkb_viewer.figures.curves import X_TITLES, XAxis, curves_figure
from modelkb_viewer.pages.refreshing import live

_COLUMNS = 2
_MOST_PLOTS = 12
_KEPT = 100
_State = tuple[str, int, int, str]


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
    smoothing = choose_smoothing(second)
    log = third.toggle("Log scale", key=addresses.LOG, bind="query-params")

    def draw() -> None:
        with part("Curves"):
            _draw(experiment, search, x, smoothing, log)

    live("curves", draw)


def _metrics_of(experiment: Experiment) -> list[str]:
    return list(dict.fromkeys(experiment.table("metrics")["metric"].to_pylist()))


def _draw(experiment: Experiment, search: str, x: XAxis, smoothing: float, log: bool) -> None:
    metrics = experiment.metrics()
    no_batches = metrics.iloc[:0]
    by_batch = no_batches if x == "epoch" else experiment.batch_metrics()
    record = experiment.record
    # Rows are only added, or cut off and added again: so much tells whether they are the same.
    state = (experiment.id, len(metrics), len(by_batch), str(metrics["wall_time"].max()))
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
                _show_curve(state, metric, curves[metric], x, smoothing, log)
    title = f"Metrics of {record.name}"
    _show_values(metrics[metrics["metric"].isin(names)], title)
    download_menu(metrics, title, key="metric-values")
    if len(by_batch):
        st.caption("Values by batch")
        download_menu(by_batch, f"{title} by batch", key="batch-metric-values")


def _show_values(metrics: pd.DataFrame, title: str) -> None:
    number = st.column_config.NumberColumn(format=FOUR_DIGITS)
    columns = dict.fromkeys(["First", "Best", "Last"], number)
    st.dataframe(
        metric_values(metrics), hide_index=True, alt=title, column_config=columns, placeholder=""
    )


# The page is drawn anew with every click on it. The state stands for the frame, which may be long.
@st.cache_data(show_spinner=False, max_entries=_KEPT)
def _show_curve(
    state: _State, metric: str, _frame: pd.DataFrame, x: XAxis, smoothing: float, log: bool
) -> None:
    st.markdown(f"**{plain(metric)}**")
    if not np.isfinite(_frame["value"]).any():
        st.caption(f"All {len(_frame)} values are NaN or infinite, so there is nothing to draw.")
        return
    figure = curves_figure(
        _frame, x=x, smoothing=smoothing, log=log, value_title=metric, height=280
    )
    show_figure(figure, f"{metric} over {X_TITLES[x].lower()}", key=f"curve-{metric}")
