"""A choice of one out of several, which the address of the page keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from modelkb_viewer.components.plain_text import plain


def choose(
    label: str,
    options: Sequence[str] | Mapping[str, str],
    *,
    key: str,
    place: Any = st,
    help: str | None = None,  # noqa: A002 - Streamlit's own word for it
) -> str:
    """Show a box to choose in; the first option is chosen at first.

    Args:
        label: What is chosen.
        options: One or more; recorded texts are shown as they are. A mapping has what is shown
            of each.
        key: The name of the choice on its page and in the address.
        place: Where to draw, such as a column.
        help: What is said of it on request.
    """
    titles = options if isinstance(options, Mapping) else {}
    chosen: Any = place.selectbox(
        label,
        list(options),
        format_func=lambda each: plain(titles.get(each, each)),
        key=key,
        bind="query-params",
        help=help,
    )
    return str(chosen)
