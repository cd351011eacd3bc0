"""Parts of a page that draw themselves again, without the rest of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import streamlit as st
from streamlit.errors import StreamlitAPIException

from modelkb_store import Experiment, Store
from modelkb_store.records import Status
from modelkb_viewer.components.follower import follow
from modelkb_viewer.components.part import part
from modelkb_viewer.content.experiment_progress import experiment_progress

_SECONDS_WHILE_RUNNING = 5
_SECONDS_OTHERWISE = 10
_LIVE = "live-parts"


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


def follow_run(store: Store, experiment: Experiment) -> None:
    """Have the live parts that come after this drawn again whenever a run has come further."""
    st.session_state[_LIVE] = {}

    def draw() -> None:
        with part("Following the run"):
            progress = experiment_progress(store, experiment.id)
            follow(experiment.id, progress, on_further=_draw_live_parts, on_later=_draw_clocks)

    if experiment.record.status == Status.RUNNING.value:
        # A fragment waits for its turn; without, what it tells would cut off the page being drawn.
        st.fragment(draw, key="follower")()


def live(name: str, draw: Callable[[], None], *, tells_time: bool = False) -> None:
    """Draw something now and, see :func:`follow_run`, as the run of the page goes on.

    Args:
        name: Of the part, on its page.
        draw: Draws it, from what is in the store at that time.
        tells_time: Whether it is another one also where nothing new was recorded.
    """
    st.session_state[_LIVE][name] = tells_time
    st.fragment(draw, key=name)()


def _draw_live_parts() -> None:
    _draw_again(list(st.session_state[_LIVE]))


def _draw_clocks() -> None:
    _draw_again([name for name, tells_time in st.session_state[_LIVE].items() if tells_time])


def _draw_again(names: list[str]) -> None:
    """Draw live parts, as far as they are there: the page may be another one by now."""
    if names:
        with contextlib.suppress(StreamlitAPIException):
            st.rerun(names)
