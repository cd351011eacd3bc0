"""An error of the query language, with the place that it is about."""

from __future__ import annotations

import streamlit as st

from modelkb_store.errors import QueryError
from modelkb_viewer.components.plain_text import plain


def show_query_error(error: QueryError) -> None:
    """Show what is wrong with a query, and where: under the place stands a caret."""
    problem, *where = str(error).splitlines()
    st.error(plain(problem), icon=":material/error:")
    # What was typed keeps its blanks, so that the caret stands where it should.
    st.code("\n".join(where), language=None)
