"""The evaluations of an experiment: a confusion matrix, or a histogram of residuals."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.column_settings import FOUR_DIGITS
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import download_menu, show_table
from modelkb_viewer.content.evaluations import Evaluation, evaluations_of
from modelkb_viewer.figures.confusion_matrix import confusion_matrix_figure
from modelkb_viewer.figures.residuals import residuals_figure


def show(experiment: Experiment) -> None:
    """Draw the evaluation that is chosen."""
    found = {each.label: each for each in evaluations_of(experiment)}
    if not found:
        return
    st.subheader("Evaluation", anchor=False)
    first, second = st.columns([2, 3], vertical_alignment="bottom")
    label = choose("Evaluation of", list(found), key=addresses.EVALUATION, place=first)
    chosen = found[label]
    shares = False
    if chosen.matrix is not None:
        shares = second.toggle(
            "Shares of the true class, in place of counts",
            key=addresses.SHARES,
            bind="query-params",
        )
    _show_figures(chosen)
    if chosen.matrix is not None and chosen.classes is not None:
        left, right = st.columns([3, 2])
        with left:
            _show_matrix(chosen.matrix, label, shares)
        with right:
            _show_classes(chosen.classes)
    elif chosen.matrix is not None:
        _show_matrix(chosen.matrix, label, shares)
    elif chosen.classes is not None:
        _show_classes(chosen.classes)
    if chosen.residuals is not None:
        show_figure(residuals_figure(chosen.residuals), f"Residuals of {label}", key="residuals")
        download_menu(chosen.residuals, f"residuals of {label}", key="residuals-data")


def _show_figures(chosen: Evaluation) -> None:
    with st.container(horizontal=True, gap="large"):
        for name, value in chosen.figures.items():
            st.metric(name, f"{value:.4g}", width="content")
    st.caption(plain(f"{chosen.task.capitalize()}. {chosen.about}"))


def _show_matrix(matrix: pd.DataFrame, label: str, shares: bool) -> None:
    name = f"Confusion matrix of {label}, {len(matrix)} classes"
    show_figure(confusion_matrix_figure(matrix, shares=shares), name, key="confusion-matrix")
    download_menu(
        lambda: matrix.rename(columns=str).rename_axis(columns=None).reset_index(),
        f"confusion matrix of {label}",
        key="confusion-matrix-data",
    )


def _show_classes(classes: pd.DataFrame) -> None:
    share = st.column_config.NumberColumn(format=FOUR_DIGITS)
    show_table(
        classes,
        "Precision, recall and F1 by class",
        key="classes",
        column_config={
            "Class": st.column_config.TextColumn(width="medium"),
            **dict.fromkeys(["Precision", "Recall", "F1"], share),
            "Support": st.column_config.NumberColumn(help="Samples of the class"),
        },
    )
