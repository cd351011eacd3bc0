"""Ways from one page to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import streamlit as st

from modelkb_viewer import addresses
from modelkb_viewer.components.plain_text import plain

_KNOWN = "pages"


def remember(pages: Mapping[str, Any]) -> None:
    """Note the pages of this run by their path; the router does so before a page is drawn."""
    st.session_state[_KNOWN] = dict(pages)


def open_project(name: str) -> NoReturn:
    """Go to a project's page."""
    st.switch_page(_page(addresses.PROJECT_PATH), query_params={addresses.PROJECT: name})


def open_experiment(experiment_id: str, tab: str | None = None) -> NoReturn:
    """Go to an experiment's page, to one of its tabs."""
    query = {addresses.EXPERIMENT: experiment_id, **({addresses.TAB: tab} if tab else {})}
    st.switch_page(_page(addresses.EXPERIMENT_PATH), query_params=query)


def open_comparison(experiment_ids: Iterable[str]) -> NoReturn:
    """Go to a comparison of experiments."""
    query = {addresses.EXPERIMENT: list(experiment_ids)}
    st.switch_page(_page(addresses.COMPARE_PATH), query_params=query)


def open_page(path: str, query: Mapping[str, Iterable[str]]) -> NoReturn:
    """Go to a page with all that its address has behind the question mark."""
    st.switch_page(_page(path), query_params=query)


def project_link(name: str, label: str | None = None) -> None:
    """Draw a link to a project's page."""
    query = {addresses.PROJECT: name}
    st.page_link(_page(addresses.PROJECT_PATH), label=plain(label or name), query_params=query)


def experiment_link(experiment_id: str, label: str) -> None:
    """Draw a link to an experiment's page.

    Streamlit's own links do nothing from a page to the same page of something else (seen in 1.67),
    so on the page of an experiment it is a button that looks like one.
    """
    if urlsplit(st.context.url or "").path.endswith(f"/{addresses.EXPERIMENT_PATH}"):
        key = f"link-{experiment_id}-{label}"
        if st.button(plain(label), key=key, type="tertiary", icon=":material/science:"):
            open_experiment(experiment_id)
        return
    query = {addresses.EXPERIMENT: experiment_id}
    st.page_link(_page(addresses.EXPERIMENT_PATH), label=plain(label), query_params=query)


def _page(path: str) -> Any:
    return st.session_state[_KNOWN][path]
