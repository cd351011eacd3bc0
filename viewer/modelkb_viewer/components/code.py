"""Python code, with colours, line numbers and a button to copy it."""

from __future__ import annotations

import streamlit as st

_HEIGHT = 520
_LINE_HEIGHT = 24


def show_code(text: str) -> None:
    """Show code; a long one can be scrolled in its place."""
    is_long = text.count("\n") * _LINE_HEIGHT > _HEIGHT
    st.code(text, "python", line_numbers=True, height=_HEIGHT if is_long else "content")
