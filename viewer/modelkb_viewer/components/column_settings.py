"""How the columns of experiments are shown in a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from modelkb_viewer.content.experiment_frame import DURATION, PROGRESS, label_of

FOUR_DIGITS = "%.4g"
_TIMES = ("started_at", "ended_at", "last_activity")
_LISTS = ("tags", "problems", "command_line")


def column_settings(
    frame: pd.DataFrame, label: Callable[[str], str] = label_of, **others: Any
) -> dict[str, Any]:
    """Return the settings of columns of the listing, for ``column_config``.

    Args:
        frame: With columns such as ``started_at`` or ``metrics.val_loss``.
        label: Gives what a column is called.
        others: Settings of a column of one's own, by its name.
    """
    return {**{name: _setting(name, label(name), frame[name]) for name in frame.columns}, **others}


def time_column(label: str) -> Any:
    """Return the settings of times: in the time zone of the reader's browser, else in UTC."""
    zone = st.context.timezone
    return st.column_config.DatetimeColumn(
        label if zone else f"{label} (UTC)",
        format="YYYY-MM-DD HH:mm",
        timezone=zone or "UTC",
        help=f"Time zone: {zone or 'UTC'}",
    )


def _setting(column: str, label: str, values: pd.Series) -> Any:
    if column in _TIMES:
        return time_column(label)
    if column in _LISTS:
        return st.column_config.ListColumn(label)
    if column.startswith("metrics."):
        return st.column_config.NumberColumn(label, format=FOUR_DIGITS, help="The last value")
    if pd.api.types.is_float_dtype(values):
        return st.column_config.NumberColumn(label, format=FOUR_DIGITS)
    if column in (DURATION, PROGRESS):
        return st.column_config.TextColumn(label, alignment="right")
    return st.column_config.Column(label)
