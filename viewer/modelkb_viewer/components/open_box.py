"""A box in which one types where to go: the way of the keyboard beside a table's buttons."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

_WIDTH = 300


def open_box(label: str, targets: Mapping[str, str], *, key: str) -> str | None:
    """Show the box, and return what was chosen in it.

    Args:
        label: What can be opened.
        targets: Where one can go, with words for it.
        key: The name of the box on its page.
    """
    return st.selectbox(
        label,
        list(targets),
        index=None,
        format_func=lambda target: targets.get(target, target),
        placeholder="Type a name",
        key=key,
        width=_WIDTH,
    )
