from __future__ import annotations

from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from modelkb_store.errors import StoreNotFoundError
from modelkb_viewer.components.part import part

with part("The *first*"):
    raise StoreNotFoundError("![x](http://a.example/x.png)")
with part("The second"):
    raise ZeroDivisionError("by [nothing](http://a.example)")
with part("The third"):
    st.text("all well")
with part("The fourth"):
    st.stop()
"""


def test_errors_are_said_in_their_place_and_the_rest_is_shown() -> None:
    page = AppTest.from_string(SCRIPT, default_timeout=60).run()

    first, second = (box.value for box in page.error)
    assert first.startswith(r"The \*first\* cannot be shown\. ".replace(r"\.", "."))
    assert "No ModelKB store at" in first
    assert second.startswith("The second cannot be shown. ZeroDivisionError")
    for text in (first, second):
        assert "](" not in text
        assert "http://" not in text
    assert [text.value for text in page.text] == ["all well"]
    assert not page.exception
