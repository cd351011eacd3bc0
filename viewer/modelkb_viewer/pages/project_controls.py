"""What a reader of a project chooses: which experiments, in which order, and what of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.content.project_overview import ProjectOverview
from modelkb_viewer.pages.project_filters import show_filter_menu

NEWEST_FIRST = "-started_at"
_HELP = """
Which experiments to show, in words close to SQL:

- `params.learning_rate < 0.01 and metrics.val_accuracy > 0.9`
- `status = 'finished' and 'baseline' in tags`
- `started_at > now() - 7 days`
- `has(Conv2D(filters >= 64) -> BatchNormalization)`

*Add filter* writes such conditions for you. All of the language is in docs/queries.md.
"""


@dataclass(frozen=True, slots=True)
class ProjectView:
    """What is shown of a project.

    Attributes:
        where: A query for the experiments; empty for all.
        order_by: What they are sorted by.
        columns: The columns of the table.
        group_by: The column that they are grouped by, if they are.
        metric: The metric that groups are measured by, as in Keras' history.
        label: Gives what a column is called.
    """

    where: str
    order_by: str
    columns: tuple[str, ...]
    group_by: str | None
    metric: str | None
    label: Callable[[str], str]


def choose_view(store: Store, project: str, known: ProjectOverview) -> ProjectView:
    """Draw the controls, all of which are in the address, and return what they say."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = st.text_input(
            "Query",
            key=addresses.WHERE,
            bind="query-params",
            type="search",
            placeholder="params.learning_rate < 0.01 and metrics.val_accuracy > 0.9",
            help=_HELP,
            icon=":material/filter_alt:",
        )
        with st.popover("Add filter", icon=":material/add:"):
            show_filter_menu(store, project, known)
        with st.popover("Columns", icon=":material/view_column:"):
            columns = _choose_columns(project, known)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order_by = _choose_order(known)
        group_by = _choose_grouping(known)
        metric = _choose_metric(known) if group_by else None
    return ProjectView(where or "", order_by, tuple(columns), group_by, metric, known.label)


def _choose_columns(project: str, known: ProjectOverview) -> Iterable[str]:
    remembered = f"columns of {project}"
    default = st.session_state.get(remembered, known.default_columns)
    chosen = st.multiselect(
        "Columns",
        known.columns,
        default=[column for column in default if column in known.columns],
        format_func=known.label,
        key=addresses.COLUMNS,
        bind="query-params",
        help="Kept in the address, and for this project until the browser tab is closed.",
    )
    st.session_state[remembered] = chosen
    return chosen or known.default_columns


def _choose_order(known: ProjectOverview) -> str:
    orders = known.orders
    chosen = st.selectbox(
        "Sort by",
        list(orders),
        format_func=lambda order: orders.get(order, order),
        key=addresses.SORT,
        bind="query-params",
        width=300,
    )
    return chosen or NEWEST_FIRST


def _choose_grouping(known: ProjectOverview) -> str | None:
    return st.selectbox(
        "Group by",
        known.groupings,
        index=None,
        format_func=known.label,
        placeholder="No groups",
        key=addresses.GROUP,
        bind="query-params",
        width=300,
    )


def _choose_metric(known: ProjectOverview) -> str | None:
    return st.selectbox(
        "Metric of the groups",
        [name.removeprefix("metrics.") for name in known.metrics],
        key=addresses.GROUP_METRIC,
        bind="query-params",
        width=300,
    )
