"""Curves of several experiments, one over the other; on a project's page and in comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_store.records import Status
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.part import part
from modelkb_viewer.components.smoothing_slider import choose_smoothing
from modelkb_viewer.components.table import download_menu
from modelkb_viewer.content.hyperparameter_values import varying_hyperparameters
from modelkb_viewer.content.metric_values import metric_names
from modelkb_viewer.content.overlaid_curves import overlaid_curves, split_names
from modelkb_viewer.content.selected_experiments import LABEL
from modelkb_viewer.figures.colours import experiment_colours
from modelkb_viewer.figures.curves import X_TITLES, XAxis, curves_figure

_MOST_DRAWN = 50
_SECONDS_WHILE_RUNNING = 2
_HEIGHT = 440
_EXPERIMENT = "Experiment"


def show(store: Store, experiments: pd.DataFrame, colours: Mapping[str, str] | None = None) -> None:
    """Draw what to show, and the curves; those of what runs are drawn again as they grow.

    Args:
        store: The store.
        experiments: As of :func:`selected_experiments`; at most 50 are drawn.
        colours: The colour of each label, where other charts of the page have them, too.
    """
    runs = bool((experiments["status"] == Status.RUNNING.value).any())
    seconds = _SECONDS_WHILE_RUNNING if runs else None
    st.fragment(_show, run_every=seconds)(store, experiments, colours)


@dataclass(frozen=True)
class _View:
    """What is chosen to be seen.

    Attributes:
        metric: The metric.
        x: What it is drawn over.
        colour_by: A hyperparameter that colours the lines; None for each experiment its own.
        smoothing: From 0 to 0.99.
        log: Whether the axis of values is logarithmic.
        both: Whether training and validation are drawn together.
    """

    metric: str
    x: XAxis
    colour_by: str | None
    smoothing: float
    log: bool
    both: bool


def _show(store: Store, experiments: pd.DataFrame, colours: Mapping[str, str] | None) -> None:
    # What goes wrong when they are drawn again is no matter of the page any more.
    with part("Curves"):
        _draw(store, experiments, colours)


def _draw(store: Store, experiments: pd.DataFrame, colours: Mapping[str, str] | None) -> None:
    drawn = experiments.head(_MOST_DRAWN)
    if len(drawn) < len(experiments):
        st.caption(
            f"The first {_MOST_DRAWN} of {len(experiments)} experiments are drawn. "
            "Select some in the table, or filter it, to see others."
        )
    hyperparameters = {each.name: each for each in varying_hyperparameters(drawn)}
    names = metric_names(experiments)
    view = _choose_view(names, list(hyperparameters))
    series = [each for each in split_names(view.metric) if each in names]
    frame = overlaid_curves(store, drawn, series if view.both else [view.metric], view.x)
    if frame.empty:
        st.info("None of these experiments has a curve of this metric.")
        return
    if view.colour_by:
        values = hyperparameters[view.colour_by].values
        frame["colour"] = frame["experiment"].map(dict(zip(drawn[LABEL], values, strict=True)))
    if view.log and (frame["value"] <= 0).any():
        st.caption("Values up to 0 have no logarithm and are left out.")
    figure = curves_figure(
        frame,
        x=view.x,
        smoothing=view.smoothing,
        log=view.log,
        value_title=view.metric,
        colours=colours or experiment_colours(drawn[LABEL]),
        colour_title=view.colour_by,
        height=_HEIGHT,
    )
    show_figure(figure, f"Curves of {view.metric} of {len(drawn)} experiments", key="curves")
    download_menu(frame, f"curves of {view.metric}", key="curves-data")


def _choose_view(metrics: list[str], hyperparameters: list[str]) -> _View:
    first, second, third = st.columns([2, 1, 2])
    metric = choose("Metric", metrics, key=addresses.METRIC, place=first)
    x = cast("XAxis", choose("Over", X_TITLES, key=addresses.X, place=second))
    options = [_EXPERIMENT, *hyperparameters]
    colour_by = choose("Coloured by", options, key=addresses.COLOUR_BY, place=third)
    first, second, third = st.columns([2, 1, 2], vertical_alignment="bottom")
    smoothing = choose_smoothing(first)
    log = second.toggle("Log scale", key=addresses.LOG, bind="query-params")
    both = third.toggle(
        "Training and validation together", key=addresses.BOTH_SPLITS, bind="query-params"
    )
    return _View(metric, x, None if colour_by == _EXPERIMENT else colour_by, smoothing, log, both)
