"""What is said of damaged files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from modelkb_viewer.components.plain_text import plain

_MOST = 5


def show_damage(texts: Sequence[str]) -> None:
    """Say which files are damaged, and that all else is shown.

    Args:
        texts: What is wrong with each; nothing is drawn if there is none.
    """
    if not texts:
        return
    lines = [f"- {plain(text)}" for text in texts[:_MOST]]
    if len(texts) > _MOST:
        lines.append(f"- and {len(texts) - _MOST} more")
    st.warning(
        "Damaged files are left out of what is shown. `modelkb check --repair` sets them aside, "
        "and makes anew what can be.\n" + "\n".join(lines),
        icon=":material/heart_broken:",
    )
