"""What predicts with the models of the store that the viewer shows, for all who look."""

from __future__ import annotations

import streamlit as st

from modelkb_store.layout import resolve_store_location
from modelkb_viewer.permissions import recorded_code_is_allowed
from modelkb_viewer.prediction.predictor import Predictor
from modelkb_viewer.prediction.recording import TriedPredictions


def opened_predictor() -> Predictor:
    """Return what predicts; its processes start when they are first needed."""
    return _open(resolve_store_location(None), runs_code=recorded_code_is_allowed())


def tried_predictions() -> TriedPredictions:
    """Return what records predictions."""
    return _open_record(resolve_store_location(None))


@st.cache_resource(show_spinner=False)
def _open(location: str, *, runs_code: bool) -> Predictor:
    return Predictor(location, runs_code=runs_code)


@st.cache_resource(show_spinner=False)
def _open_record(location: str) -> TriedPredictions:
    return TriedPredictions(location)
