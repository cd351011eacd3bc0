"""Tables of a comparison, with a column per experiment, and confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.column_settings import FOUR_DIGITS
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.compared_evaluations import confusion_matrices, evaluation_measures
from modelkb_viewer.content.selected_experiments import LABEL
from modelkb_viewer.content.side_by_side import (
    environments_side_by_side,
    facts_side_by_side,
    hyperparameters_side_by_side,
    metrics_side_by_side,
    only_differences,
)
from modelkb_viewer.figures.confusion_matrix import (
    confusion_difference_figure,
    confusion_matrix_figure,
)

_MOST_MATRICES = 8
_NO_VALUE = "–"


def show_overview(store: Store, experiments: pd.DataFrame) -> None:
    """Draw what each experiment is."""
    _show_side_by_side(facts_side_by_side(store, experiments), "Overview")


def show_hyperparameters(store: Store, experiments: pd.DataFrame) -> None:
    """Draw the hyperparameters."""
    _show_side_by_side(hyperparameters_side_by_side(experiments), "Hyperparameters")


def show_environments(store: Store, experiments: pd.DataFrame) -> None:
    """Draw the environments."""
    _show_side_by_side(environments_side_by_side(store, experiments), "Environments")


def show_metrics(store: Store, experiments: pd.DataFrame) -> None:
    """Draw the first, best and last value of each curve."""
    _show_side_by_side(metrics_side_by_side(store, experiments), "Metrics", fixed=3)


def show_evaluations(store: Store, experiments: pd.DataFrame) -> None:
    """Draw measures, confusion matrices, and the difference of two of them."""
    pairs = [
        (label, store.experiment(each))
        for label, each in zip(experiments[LABEL], experiments["experiment_id"], strict=True)
    ]
    measures = evaluation_measures(pairs)
    if measures.empty:
        st.info("None of these experiments was evaluated.")
        return
    numbers = {
        name: st.column_config.NumberColumn(name.capitalize(), format=FOUR_DIGITS)
        for name in measures.columns[4:]
    }
    texts = {name: name.capitalize() for name in measures.columns[:4]}
    show_table(measures, "Evaluations", key="evaluations", column_config={**texts, **numbers})
    matrices = confusion_matrices(pairs)
    if matrices:
        _show_matrices(matrices)


def _show_matrices(matrices: Mapping[tuple[str, str], Mapping[str, pd.DataFrame]]) -> None:
    several_outputs = len({output for _, output in matrices}) > 1
    by_title = {
        f"{split}, {output}" if several_outputs else split: found
        for (split, output), found in matrices.items()
    }
    left, right = st.columns(2, vertical_alignment="bottom")
    title = choose("Confusion matrices of", list(by_title), key=addresses.SPLIT, place=left)
    shares = right.toggle("Shares of the true class", key=addresses.SHARES, bind="query-params")
    found = by_title[title]
    _show_matrix_difference(found)
    for number, (label, matrix) in enumerate(list(found.items())[:_MOST_MATRICES]):
        if number % 2 == 0:
            places = st.columns(2)
        with places[number % 2]:
            st.text(label)
            figure = confusion_matrix_figure(matrix, shares=shares)
            show_figure(figure, f"Confusion matrix of {label}", key=f"matrix-{number}")
    if len(found) > _MOST_MATRICES:
        st.caption(f"The first {_MOST_MATRICES} of {len(found)} matrices are drawn.")


def _show_matrix_difference(found: Mapping[str, pd.DataFrame]) -> None:
    if len(found) < 2:
        return
    labels = list(found)
    left, right = st.columns(2)
    first = choose("Difference: this", labels, key=addresses.FROM, place=left)
    second = choose("less this", labels, index=1, key=addresses.TO, place=right)
    if first == second:
        st.caption("Choose two experiments to see their difference.")
        return
    one, other = found[first], found[second]
    if list(one.index) != list(other.index):
        st.info(
            f"{plain(first)} has {len(one)} classes and {plain(second)} {len(other)}, or they "
            "have other names: there is no difference to draw."
        )
        return
    figure = confusion_difference_figure(one, other)
    name = f"Confusion matrix of {first} less that of {second}"
    st.text(name)
    show_figure(figure, name, key="matrix-difference")


def _show_side_by_side(frame: pd.DataFrame, name: str, *, fixed: int = 1) -> None:
    differences = st.toggle("Only differences", key=addresses.DIFFERENCES, bind="query-params")
    shown = only_differences(frame, fixed) if differences else frame
    if shown.empty:
        st.info("There is no difference." if len(frame) else "Nothing was recorded.")
        return
    settings = {frame.columns[0]: st.column_config.Column(pinned=True, width="medium")}
    for column in frame.columns[fixed:]:
        if pd.api.types.is_numeric_dtype(frame[column]):
            settings[column] = st.column_config.NumberColumn(format=FOUR_DIGITS)
    show_table(
        shown,
        name,
        key=name.lower(),
        column_config=settings,
        height="content",
        placeholder=_NO_VALUE,
    )
    if differences:
        st.caption(f"{len(shown)} of {len(frame)} rows differ.")
