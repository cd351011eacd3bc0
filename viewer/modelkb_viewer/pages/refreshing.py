"""Parts of a page that draw themselves again, without the rest of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_SECONDS_WHILE_RUNNING = 2
_SECONDS_OTHERWISE = 10


def refreshing(draw: Callable[[], None], *, running: bool) -> None:
    """Draw something now and every few seconds, more often while a training runs.

    Args:
        draw: Draws it, from what is in the store at that time.
        running: Whether something that it shows is running.
    """
    seconds = _SECONDS_WHILE_RUNNING if running else _SECONDS_OTHERWISE
    st.fragment(draw, run_every=seconds)()
