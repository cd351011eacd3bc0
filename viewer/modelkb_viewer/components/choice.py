"""A choice of one out of several, which the address of the page keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st


def choose(
    label: str,
    options: Sequence[str] | Mapping[str, str],
    *,
    key: str,
    index: int = 0,
    place: Any = st,
    help: str | None = None,  # noqa: A002 - Streamlit's own word for it
) -> str:
    """Show a box to choose in.

    Args:
        label: What is chosen.
        options: One or more, shown as they are: this box reads no Markdown. A mapping has what
            is shown of each.
        key: The name of the choice on its page and in the address.
        index: What is chosen at first.
        place: Where to draw, such as a column.
        help: What is said of it on request.
    """
    titles = options if isinstance(options, Mapping) else {}
    chosen: Any = place.selectbox(
        label,
        list(options),
        index=index,
        format_func=lambda each: titles.get(each, each),
        key=key,
        bind="query-params",
        help=help,
    )
    return str(chosen)
