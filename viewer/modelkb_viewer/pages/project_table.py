"""The table of a project's experiments, which can be selected, and draws itself again."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from modelkb_store import Store
from modelkb_store.errors import QueryError
from modelkb_viewer import addresses
from modelkb_viewer.components.column_settings import FOUR_DIGITS, column_settings
from modelkb_viewer.components.open_column import clicked_target, open_column
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.query_error import show_query_error
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.experiment_frame import experiment_frame
from modelkb_viewer.content.grouped_experiments import group_experiments
from modelkb_viewer.content.recent_experiments import running_count
from modelkb_viewer.pages import links
from modelkb_viewer.pages.kept_overview import kept_overview
from modelkb_viewer.pages.project_controls import ProjectView
from modelkb_viewer.pages.project_filters import add_condition
from modelkb_viewer.pages.refreshing import refreshing

ROWS_PER_PAGE = 100
_KEY = "experiments"
_OPEN = "open-experiment"
_GROUP = "open-group"
_SHOWN_IDS = "ids of the table"
_FIRST_PAGED = "first table with pages"
_HEIGHT = 480
_ROW_HEIGHT = 35
_MOST_GROUPS = 200


class ProjectTable:
    """The table under the controls.

    Args:
        store: The store.
        project: The project.
        view: What to show.
        total: How many experiments the project has.
        running: How many of them run.

    Attributes:
        ids: All experiments that the query chooses, in order; after :meth:`show`.
        selected: Those that are selected.
    """

    def __init__(
        self, store: Store, project: str, view: ProjectView, total: int, running: int
    ) -> None:
        self._store = store
        self._project = project
        self._view = view
        self._total = total
        self._running = running
        self._is_drawn = False
        self.ids: list[str] = []
        self.selected: list[str] = []

    def show(self) -> None:
        """Draw it."""
        refreshing("The table", self._draw, running=self._running > 0)
        self._is_drawn = True

    def _draw(self) -> None:
        if chosen := clicked_target(_OPEN):
            links.open_experiment(chosen)
        try:
            ids = self._store.experiment_ids(
                self._project, where=self._view.where, order_by=self._view.order_by
            )
        except QueryError as error:
            show_query_error(error)
            return
        if not self._is_drawn:
            self.ids = ids
        elif bool(running_count(self._store, self._project)) != bool(self._running):
            st.rerun()
        if not ids:
            st.info("No experiment is as the query says.")
            return
        if self._view.group_by and self._view.metric:
            self._show_groups(ids, self._view.group_by, self._view.metric)
        else:
            self._show_experiments(ids)

    def _show_experiments(self, ids: Sequence[str]) -> None:
        table, bar = st.container(), st.container()
        with bar:
            page = self._choose_page(len(ids))
        shown = ids[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
        _keep_selection(shown)
        frame = self._frame(shown)
        settings = column_settings(frame, self._view.label)
        if "name" in frame.columns:
            help_text = "Click on a name to see the experiment."
            settings["name"] = open_column("Name", shown, key=_OPEN, help_text=help_text)
        with table:
            state = show_table(
                frame,
                f"Experiments of {self._project}",
                key=_KEY,
                whole=lambda: self._frame(ids),
                column_config=settings,
                column_order=self._view.columns,
                on_select="rerun",
                selection_mode="multi-row",
                placeholder="",
                height=min(_HEIGHT, _ROW_HEIGHT * (len(frame) + 1) + 3),
            )
        selected = [shown[row] for row in state["selection"]["rows"] if row < len(shown)]
        with bar:
            _show_actions(selected)
        if not self._is_drawn:
            self.selected = selected
        elif selected != self.selected:
            st.rerun()  # the charts are of what is selected

    def _frame(self, ids: Sequence[str]) -> pd.DataFrame:
        columns = ["experiment_id", *self._view.columns]
        rows = self._store.experiment_rows(ids, self._project)
        return experiment_frame(rows, list(dict.fromkeys(columns)))

    def _choose_page(self, count: int) -> int:
        pages = -(-count // ROWS_PER_PAGE)
        with st.container(horizontal=True, vertical_alignment="center"):
            of_all = f" of {self._total:,}" if count < self._total else ""
            st.markdown(f"**{count:,}{of_all} experiments**", width="content")
            if pages <= 1:
                st.query_params.pop(addresses.PAGE, None)
                return 1
            # Another query or order begins with its first page, unless the address says more.
            key = f"page of {self._view.where} by {self._view.order_by}"
            page = st.pagination(pages, default=min(_page_of_address(key), pages), key=key)
        if page > 1:
            st.query_params[addresses.PAGE] = str(page)
        else:
            st.query_params.pop(addresses.PAGE, None)
        return page

    def _show_groups(self, ids: Sequence[str], by: str, metric: str) -> None:
        rows = kept_overview(self._store, self._project).rows
        rows = rows.filter(pc.is_in(rows["experiment_id"], pa.array(ids)))
        groups = group_experiments(self._store, self._project, rows, by, metric)
        label = self._view.label(by)
        conditions = groups.pop("condition").to_list()
        st.markdown(f"**{len(groups):,} groups of {len(ids):,} experiments**")
        settings = {
            "value": open_column(
                label,
                conditions,
                key=_GROUP,
                help_text="Click on a value to see its experiments.",
                on_open=_open_group,
            ),
            "runs": st.column_config.NumberColumn("Experiments", format="localized"),
            "best": st.column_config.NumberColumn(f"Best {metric}", format=FOUR_DIGITS),
            "mean": st.column_config.NumberColumn(f"Mean {metric}", format=FOUR_DIGITS),
            "std": st.column_config.NumberColumn("Standard deviation", format=FOUR_DIGITS),
        }
        show_table(
            groups.head(_MOST_GROUPS),
            f"Groups by {label}",
            key="groups",
            whole=lambda: groups,
            column_config=settings,
            placeholder="",
        )
        more = f" The best {_MOST_GROUPS} are shown." if len(groups) > _MOST_GROUPS else ""
        st.caption(f"Of each experiment the last value of {plain(metric)} counts.{more}")


def _page_of_address(key: str) -> int:
    is_first = st.session_state.setdefault(_FIRST_PAGED, key) == key
    text = st.query_params.get(addresses.PAGE, "")
    return max(1, int(text)) if is_first and text.isdecimal() else 1


def _keep_selection(shown: Sequence[str]) -> None:
    """Let the same experiments be selected where the rows of the table are others now."""
    before = st.session_state.get(_SHOWN_IDS, shown)
    st.session_state[_SHOWN_IDS] = list(shown)
    rows = st.session_state.get(_KEY, {}).get("selection", {}).get("rows", [])
    if not rows or before == shown:
        return
    selected = {before[row] for row in rows if row < len(before)}
    kept = [row for row, each in enumerate(shown) if each in selected]
    st.session_state[_KEY] = {"selection": {"rows": kept, "columns": [], "cells": []}}


def _show_actions(selected: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        is_comparison = len(selected) > 1
        label = f"Compare {len(selected)} experiments" if is_comparison else "Compare"
        if st.button(
            label, key="compare", icon=":material/compare_arrows:", disabled=not is_comparison
        ):
            links.open_comparison(selected)
        if st.button(
            "Open experiment",
            key="open",
            icon=":material/open_in_new:",
            disabled=len(selected) != 1,
        ):
            links.open_experiment(selected[0])
        if not selected:
            st.caption("Select rows to compare them, and to see only them in the charts.")


def _open_group(condition: str) -> None:
    """Show the experiments of a group instead of the groups."""
    if condition:
        add_condition(condition)
        st.session_state[addresses.GROUP] = None
