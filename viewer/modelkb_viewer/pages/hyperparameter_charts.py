"""Charts about hyperparameters: what goes with a good metric, and how much."""

from __future__ import annotations

from typing import cast

import pandas as pd
import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.components.choice import choose
from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import download_menu, show_table
from modelkb_viewer.content.data_groups import data_groups
from modelkb_viewer.content.hyperparameter_values import NOT_SET, Hyperparameter, as_text
from modelkb_viewer.content.importance import FEWEST_RUNS
from modelkb_viewer.content.measured_results import MeasuredResults, measured_results
from modelkb_viewer.content.metric_values import Summary, metric_names
from modelkb_viewer.content.parallel_axes import parallel_axes
from modelkb_viewer.content.what_works import headline, what_works
from modelkb_viewer.figures.importance_bars import importance_figure
from modelkb_viewer.figures.metric_against_hyperparameter import (
    metric_against_category_figure,
    metric_against_number_figure,
)
from modelkb_viewer.figures.parallel_coordinates import parallel_coordinates_figure

_SUMMARIES = {"best": "Best epoch", "last": "Last epoch"}
_NOTHING = "Nothing"
_AXES_AT_FIRST = 5
_FOUR_DIGITS = "%.4g"


def show_what_works(store: Store, experiments: pd.DataFrame) -> None:
    """Draw which values go with the best results on one dataset."""
    groups = {group.title: group for group in data_groups(store, experiments)}
    titles = {each: f"{each}: {len(group.experiment_ids)} runs" for each, group in groups.items()}
    title = choose("Trained on", titles, key=addresses.DATA)
    on_data = experiments[experiments["experiment_id"].isin(groups[title].experiment_ids)]
    results = _chosen_results(store, on_data)
    if results is None:
        return
    found = results.importances()
    in_order = results.most_important_first(found)
    table = what_works(in_order, results.values, results.metric)
    said = headline(found, table, len(results.values), results.metric)
    st.markdown(f"**{plain(said)}**")
    table["top_quarter"] = table["top_quarter"].round(2)
    show_table(
        table,
        "What works best here",
        key="what-works",
        column_config={
            "hyperparameter": st.column_config.TextColumn("Hyperparameter", pinned=True),
            "value": "Value or range",
            "runs": "Runs",
            "median": st.column_config.NumberColumn("Median", format=_FOUR_DIGITS),
            "best": st.column_config.NumberColumn("Best", format=_FOUR_DIGITS),
            "top_quarter": st.column_config.ProgressColumn(
                "Among the best quarter",
                help="The share of these runs that is among the best quarter of all.",
                format="percent",
                min_value=0,
                max_value=1,
            ),
        },
    )


def show_importance(store: Store, experiments: pd.DataFrame) -> None:
    """Draw how much of the differences in a metric goes with each hyperparameter."""
    results = _chosen_results(store, experiments)
    if results is None:
        return
    found = results.importances()
    if found.empty:
        st.info(
            f"There are {len(results.values)} runs with this metric. Importance needs at least "
            f"{FEWEST_RUNS} whose metric differs, and hyperparameters that several of them share."
        )
        return
    name = f"Importance of hyperparameters for {results.metric}"
    show_figure(importance_figure(found), name, key="importance")
    st.caption(
        f"From {len(results.values)} runs: the share of the differences in their ranks by "
        f"{plain(results.metric)} that goes with one hyperparameter alone, less what chance gives "
        "(epsilon squared, 0 to 1). The dashed line is where chance stays below in 19 of 20 "
        "trials. Hyperparameters that were changed together share what one of them does."
    )
    download_menu(found, name, key="importance-data")


def show_metric_against(store: Store, experiments: pd.DataFrame) -> None:
    """Draw a metric over one hyperparameter."""
    results = _chosen_results(store, experiments)
    if results is None:
        return
    by_name = {each.name: each for each in results.most_important_first()}
    left, right = st.columns(2)
    name = choose("Hyperparameter", list(by_name), key=addresses.HYPERPARAMETER, place=left)
    others = [_NOTHING, *(other for other in by_name if other != name)]
    colour = choose("Coloured by", others, key=addresses.COLOUR_BY, place=right)
    chosen, metric = by_name[name], results.metric
    frame = pd.DataFrame({"experiment": results.values.index, "y": results.values.to_numpy()})
    frame["x"] = _shown_values(chosen)
    colour_title = None if colour == _NOTHING else colour
    if colour_title:
        frame["colour"] = _shown_values(by_name[colour_title])
    drawn = frame[frame["y"].notna() & frame["x"].notna()]
    left_out = len(frame) - len(drawn)
    if chosen.is_numeric:
        numbers = metric_against_number_figure(
            drawn, name=name, metric=metric, log=chosen.is_wide, colour_title=colour_title
        )
        show_figure(numbers, f"{metric} against {name}", key="metric-against")
    else:
        order = sorted(set(drawn["x"]), key=lambda text: (text == NOT_SET, text))
        strips = metric_against_category_figure(
            drawn, name=name, metric=metric, order=order, colour_title=colour_title
        )
        show_figure(strips, f"{metric} against {name}", key="metric-against")
    if left_out:
        st.caption(f"{left_out} runs without a number for one of the two are left out.")
    download_menu(frame, f"{metric} against {name}", key="metric-against-data")


def show_parallel(store: Store, experiments: pd.DataFrame) -> None:
    """Draw hyperparameters and a metric as parallel axes."""
    results = _chosen_results(store, experiments)
    if results is None:
        return
    by_name = {each.name: each for each in results.most_important_first()}
    chosen = st.multiselect(
        "Axes",
        list(by_name),
        list(by_name)[:_AXES_AT_FIRST],
        key=addresses.HYPERPARAMETERS,
        bind="query-params",
    )
    axes = parallel_axes([by_name[name] for name in chosen], results.values, results.metric)
    name = f"{results.metric} and hyperparameters of {len(results.values)} experiments"
    figure = parallel_coordinates_figure(axes.points, axes.ticks, axes.names)
    show_figure(figure, name, key="parallel")
    wide = axes.points.pivot(index="experiment", columns="axis", values="shown")
    download_menu(wide[axes.names].reset_index(), name, key="parallel-data")


def _chosen_results(store: Store, experiments: pd.DataFrame) -> MeasuredResults | None:
    """Draw the choice of a metric; return it with what varies, or say why there is nothing."""
    names = metric_names(experiments)
    if not names:
        st.info("No metric is recorded of these experiments.")
        return None
    left, right = st.columns(2)
    metric = choose("Metric", names, key=addresses.METRIC, place=left)
    summary = cast("Summary", choose("Value", _SUMMARIES, key=addresses.SUMMARY, place=right))
    results = measured_results(store, experiments, metric, summary)
    if not results.hyperparameters:
        st.info("No hyperparameter differs between these experiments.")
        return None
    return results


def _shown_values(hyperparameter: Hyperparameter) -> pd.Series:
    values = hyperparameter.values
    return values if hyperparameter.is_numeric else values.map(as_text)
