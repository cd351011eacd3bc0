"""One page of the viewer, run by Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from modelkb_store.layout import STORE_VARIABLE

_SCRIPT = """
import streamlit as st
from modelkb_viewer.pages import links, {module}
from modelkb_viewer.pages.navigation import make_pages

pages = make_pages()
links.remember(pages)
st.navigation(list(pages.values()), position="hidden")
{module}.show()
"""
_SECONDS = 60


def page_test(
    module: str, store: Path, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]
) -> AppTest:
    """Return a page of a store, not run yet.

    Args:
        module: Its module in ``modelkb_viewer.pages``.
        store: The store.
        monkeypatch: Names the store in the environment.
        query: What its address has behind the question mark.
    """
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    # Where another test has imported Keras, which no viewer does, Streamlit would have it collect
    # garbage after each run: a second each, once the process has grown.
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: None)
    app = AppTest.from_string(_SCRIPT.format(module=module), default_timeout=_SECONDS)
    for name, value in query.items():
        app.query_params[name] = value
    return app
