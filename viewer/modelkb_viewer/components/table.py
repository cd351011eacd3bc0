"""A table that can be downloaded."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st


def show_table(
    frame: pd.DataFrame,
    name: str,
    *,
    key: str,
    whole: Callable[[], pd.DataFrame] | None = None,
    **settings: Any,
) -> Any:
    """Show a table, with a menu to download all of it as CSV or Parquet.

    Args:
        frame: The rows; its index is not shown.
        name: What it holds, for people and as the name of the file.
        key: The name of the table on its page.
        whole: Gives what is downloaded, where that is more than is shown.
        settings: As for :func:`streamlit.dataframe`, such as ``column_config``.

    Returns:
        What :func:`streamlit.dataframe` returns: the selection, where ``on_select`` is given.
    """
    shown = st.dataframe(frame, key=key, hide_index=True, alt=name, **settings)
    download_menu(whole or frame, name, key=key)
    return shown


def download_menu(frame: pd.DataFrame | Callable[[], pd.DataFrame], name: str, *, key: str) -> None:
    """Show the menu alone; of a function the frame is asked for when it is downloaded."""

    def rows() -> pd.DataFrame:
        return frame() if callable(frame) else frame

    file = "-".join(name.lower().split())
    with st.popover("Download", icon=":material/download:", type="tertiary"):
        st.download_button(
            "CSV",
            lambda: csv_of(rows()),
            f"{file}.csv",
            "text/csv",
            key=f"{key}-csv",
            on_click="ignore",
        )
        st.download_button(
            "Parquet",
            lambda: parquet_of(rows()),
            f"{file}.parquet",
            "application/vnd.apache.parquet",
            key=f"{key}-parquet",
            on_click="ignore",
        )


def csv_of(frame: pd.DataFrame) -> bytes:
    """Return a frame, without its index, as a CSV file in UTF-8."""
    return frame.to_csv(index=False).encode()


def parquet_of(frame: pd.DataFrame) -> bytes:
    """Return a frame, without its index, as a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
