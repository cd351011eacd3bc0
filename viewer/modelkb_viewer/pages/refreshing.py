"""Parts of a page that draw themselves again, without the rest of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from modelkb_viewer.components.part import part

_SECONDS_WHILE_RUNNING = 2
_SECONDS_OTHERWISE = 10
_SECONDS_WHILE_LOOKED_AT = 2


def refreshing(title: str, draw: Callable[[], None], *, running: bool) -> None:
    """Draw something now and every few seconds, more often while a training runs.

    Args:
        title: What it is, for people: an error in it is shown in its place.
        draw: Draws it, from what is in the store at that time.
        running: Whether something that it shows is running.
    """
    seconds = _SECONDS_WHILE_RUNNING if running else _SECONDS_OTHERWISE

    def draw_part() -> None:
        with part(title):
            draw()

    st.fragment(draw_part, run_every=seconds)()


def live(draw: Callable[[], None], *, running: bool) -> None:
    """Draw something now and, while a training runs, every two seconds from then on."""
    st.fragment(draw, run_every=_SECONDS_WHILE_LOOKED_AT if running else None)()
