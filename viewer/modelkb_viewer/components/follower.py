"""What has a page drawn again when a running experiment has come further."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from modelkb_viewer.components.base_path import base_path
from modelkb_viewer.routes.progress import progress_address

_SCRIPT = (Path(__file__).parent / "follower.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("modelkb.follower", js=_SCRIPT)


def follow(
    experiment_id: str,
    progress: str,
    *,
    on_further: Callable[[], None],
    on_later: Callable[[], None],
) -> None:
    """Watch an experiment from the browser, as long as the page is open and looked at.

    Args:
        experiment_id: The experiment.
        progress: How far it had come when the page was drawn.
        on_further: Called within seconds after it has come further.
        on_later: Called every ten seconds in which it has not.
    """
    data = {"address": f"{base_path()}/{progress_address(experiment_id)}", "progress": progress}
    _mount(
        key="follower",
        data=data,
        height=1,
        on_further_change=on_further,
        on_later_change=on_later,
    )
