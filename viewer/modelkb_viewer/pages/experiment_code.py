"""The tab Code of an experiment's page."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment


def show(experiment: Experiment) -> None:
    """Draw the tab."""
    st.text(experiment.id)
