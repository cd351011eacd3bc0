"""Where the viewer's own routes are, as the browser sees it."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from modelkb_viewer import addresses


def base_path() -> str:
    """Return what the paths of the viewer begin with, on the page of an experiment.

    That is ``server.baseUrlPath``, or what a proxy puts before; empty as a rule.
    """
    path = urlsplit(st.context.url or "").path.rstrip("/")
    return path.removesuffix(f"/{addresses.EXPERIMENT_PATH}")
