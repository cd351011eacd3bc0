"""A menu in which conditions are put together, for who does not want to write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from modelkb_store import Store
from modelkb_viewer import addresses
from modelkb_viewer.content import filters
from modelkb_viewer.content.experiment_frame import status_text
from modelkb_viewer.content.filter_fields import (
    FieldKind,
    FilterField,
    filter_columns,
    filter_field,
    filter_label,
)
from modelkb_viewer.content.project_overview import ProjectOverview


def show_filter_menu(store: Store, project: str, known: ProjectOverview) -> None:
    """Draw the menu: what to filter by, and which values; what is added is in the query box."""
    st.fragment(_show_menu)(store, project, known)


def _show_menu(store: Store, project: str, known: ProjectOverview) -> None:
    columns = filter_columns(known)
    column = st.selectbox("Filter by", columns, format_func=filter_label, key="filter-by")
    field = filter_field(store, project, known, column or columns[0])
    condition = _CHOOSERS[field.kind](field)
    is_added = st.button(
        "Add filter",
        key="add-filter",
        type="primary",
        disabled=condition is None,
        on_click=add_condition,
        args=(condition,),
    )
    if condition is not None:
        st.code(condition, language=None, wrap_lines=True)
    if is_added:
        st.rerun()


def add_condition(condition: str) -> None:
    """Add a condition to the query; for a callback, as the query box may be drawn already."""
    query = st.session_state.get(addresses.WHERE) or ""
    st.session_state[addresses.WHERE] = filters.both(query, condition)


def _choose_values(field: FilterField) -> str | None:
    words = status_text if field.column == "status" else str
    chosen = st.multiselect(
        "Is one of", field.choices, format_func=words, key=f"choice-{field.column}"
    )
    return filters.one_of(field.column, chosen) if chosen else None


def _choose_tags(field: FilterField) -> str | None:
    if not field.choices:
        st.caption("No experiment of this project has a tag.")
        return None
    chosen = st.multiselect("Has one of", field.choices, key="choice-tags")
    return filters.has_any_tag(map(str, chosen)) if chosen else None


def _choose_range(field: FilterField) -> str | None:
    low, high = (
        _number(f"At {end}", f"{end}-{field.column}", known)
        for end, known in (("least", field.low), ("most", field.high))
    )
    return None if low is None and high is None else filters.in_range(field.column, low, high)


def _number(label: str, key: str, known: float | None) -> float | None:
    text = st.text_input(
        label, key=key, live=True, placeholder="" if known is None else f"{known:.6g}"
    )
    if not text or not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        st.caption("This is not a number.")
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _choose_truth(field: FilterField) -> str | None:
    chosen = st.segmented_control("Is", [True, False], key=f"truth-{field.column}")
    return None if chosen is None else filters.equal_to(field.column, chosen)


def _choose_text(field: FilterField) -> str | None:
    text = st.text_input("Contains", key=f"text-{field.column}", live=True)
    return filters.has_text(field.column, text) if text else None


def _choose_days(field: FilterField) -> str | None:
    nothing: Any = ()
    days: Any = st.date_input(
        "From and to (UTC)", value=nothing, key=f"days-{field.column}", format="YYYY-MM-DD"
    )
    first, *others = days or (None,)
    if not isinstance(first, date):
        return None
    return filters.in_days(field.column, first, others[0] if others else first)


_CHOOSERS: dict[FieldKind, Callable[[FilterField], str | None]] = {
    FieldKind.CHOICE: _choose_values,
    FieldKind.TAGS: _choose_tags,
    FieldKind.NUMBER: _choose_range,
    FieldKind.TRUTH: _choose_truth,
    FieldKind.TEXT: _choose_text,
    FieldKind.TIME: _choose_days,
}
