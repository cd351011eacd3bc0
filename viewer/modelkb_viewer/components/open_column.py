"""A column of a table whose cells lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def open_column(
    label: str,
    targets: Sequence[str],
    *,
    key: str,
    help_text: str,
    on_open: Callable[[str], None] | None = None,
) -> Any:
    """Return the settings of a column whose cells can be clicked.

    Args:
        label: The head of the column.
        targets: Where each row leads. What is clicked counts for the rows that were shown, also
            where others have come meanwhile.
        key: The name of the column on its page.
        help_text: What a click does.
        on_open: Called with the target of the row that is clicked, before the page is drawn
            again; by default :func:`clicked_target` returns it.
    """
    return st.column_config.ButtonColumn(
        label,
        key=key,
        type="secondary",
        alignment="left",
        pinned=True,
        help=help_text,
        on_click=_note,
        args=(key, list(targets), on_open),
    )


def clicked_target(key: str) -> str | None:
    """Return where the click leads that this run is about; None without one."""
    target: str | None = st.session_state.pop(_target_key(key), None)
    return target


def _note(key: str, targets: list[str], on_open: Callable[[str], None] | None) -> None:
    row = st.session_state[key]["row"]
    if row >= len(targets):
        return
    if on_open is None:
        st.session_state[_target_key(key)] = targets[row]
    else:
        on_open(targets[row])


def _target_key(key: str) -> str:
    return f"target of {key}"
