"""The browser's way back: to a page as it was left."""

from __future__ import annotations

import streamlit as st

from modelkb_viewer import addresses
from modelkb_viewer.pages import links

_LEFT = "addresses of the pages that were left"
# What the address of a page says at least.
_OWN = {
    addresses.PROJECT_PATH: addresses.PROJECT,
    addresses.EXPERIMENT_PATH: addresses.EXPERIMENT,
    addresses.COMPARE_PATH: addresses.EXPERIMENT,
}


def restore(path: str) -> None:
    """Give a page the address that it was left with, where the browser went back to it.

    Streamlit then keeps what stands behind the ``?`` of the page that it comes from. A page
    that is chosen in the navigation has nothing there.

    Args:
        path: The page that is about to be drawn.
    """
    left = st.session_state.setdefault(_LEFT, {})
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    own = _OWN.get(path)
    if query and own is not None and own not in query and path in left:
        links.open_page(path, left[path])
    left[path] = query
