"""A part of a page: what goes wrong in it is said in its place, and the rest is shown."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import streamlit as st

from modelkb_store.errors import ModelKBError
from modelkb_viewer.components.plain_text import plain

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def part(title: str) -> Iterator[None]:
    """Show what is drawn in the block; of an error its text.

    Args:
        title: What the part is, for people: the text says that it cannot be shown.
    """
    try:
        yield
    except ModelKBError as error:
        st.error(f"{plain(title)} cannot be shown. {plain(error)}", icon=":material/error:")
    # A damaged file or an odd value may raise anything; what is drawn elsewhere is not touched.
    except Exception as error:  # noqa: BLE001
        _log.exception("%s cannot be shown", title)
        text = f"{type(error).__name__}: {error}"
        st.error(f"{plain(title)} cannot be shown. {plain(text)}", icon=":material/error:")
