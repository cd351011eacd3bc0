"""Curves of several experiments, one over the other; on a project's page and in comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.table import download_menu
from modelkb_viewer.content.hyperparameter_values import varying_hyperparameters
from modelkb_viewer.content.metric_values import metric_names
from modelkb_viewer.content.overlaid_curves import overlaid_curves, split_names
from modelkb_viewer.content.selected_experiments import LABEL
from modelkb_viewer.figures.colours import experiment_colours
from modelkb_viewer.figures.curves import X_TITLES, XAxis, curves_figure
from modelkb_viewer.figures.smoothing import MOST_SMOOTHING

_MOST_DRAWN = 50
_EXPERIMENT = "Experiment"


def show(store: Store, experiments: pd.DataFrame, colours: Mapping[str, str] | None = None) -> None:
    """Draw what to show, and the curves.

    Args:
        store: The store.
        experiments: As of :func:`selected_experiments`; at most 50 are drawn.
        colours: The colour of each label, where other charts of the page have them, too.
    """
    drawn = experiments.head(_MOST_DRAWN)
    if len(drawn) < len(experiments):
        st.caption(
            f"The first {_MOST_DRAWN} of {len(experiments)} experiments are drawn. "
            "Select some in the table, or filter it, to see others."
        )
    names = metric_names(experiments)
    first, second, third = st.columns([2, 1, 2])
    metric = choose("Metric", names, key=addresses.METRIC, place=first)
    x = cast("XAxis", choose("Over", X_TITLES, key=addresses.X, place=second))
    by_name = {each.name: each for each in varying_hyperparameters(drawn)}
    colour_by = choose("Coloured by", [_EXPERIMENT, *by_name], key=addresses.COLOUR_BY, place=third)
    first, second, third = st.columns([2, 1, 2], vertical_alignment="bottom")
    smoothing = first.slider(
        "Smoothing",
        0.0,
        MOST_SMOOTHING,
        0.0,
        0.01,
        key=addresses.SMOOTHING,
        bind="query-params",
        help="Exponential moving average: how much of the average before is kept.",
    )
    log = second.toggle("Log scale", key=addresses.LOG, bind="query-params")
    both = third.toggle(
        "Training and validation together", key=addresses.BOTH_SPLITS, bind="query-params"
    )
    series = [name for name in split_names(metric) if name in names] if both else [metric]
    frame = overlaid_curves(store, drawn, series, x)
    known = colours or experiment_colours(drawn[LABEL])
    by = None if colour_by == _EXPERIMENT else colour_by
    if by:
        values = dict(zip(drawn[LABEL], by_name[by].values, strict=True))
        frame[by] = frame["experiment"].map(values)
    if log and (frame["value"] <= 0).any():
        st.caption("Values up to 0 have no logarithm and are left out.")
    if frame.empty:
        st.info("None of these experiments has a curve of this metric.")
        return
    figure = curves_figure(
        frame,
        x=x,
        smoothing=smoothing,
        log=log,
        value_title=metric,
        colours=known,
        colour_by=by,
        height=420,
    )
    show_figure(figure, f"Curves of {metric} of {len(drawn)} experiments", key="curves")
    download_menu(frame, f"curves of {metric}", key="curves-data")
