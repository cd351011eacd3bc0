"""What signs out who looks at it."""

from __future__ import annotations

import streamlit as st

from modelkb_viewer.pages import visitor


def show() -> None:
    """End the session: this is the last that its pages show."""
    visitor.sign_out()
    st.text("You are signed out.")
