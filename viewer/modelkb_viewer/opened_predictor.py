"""What predicts with the models of the store that is shown and served, for all who ask."""

from __future__ import annotations

import functools

from modelkb_store.layout import resolve_store_location
from modelkb_viewer.permissions import recorded_code_is_allowed
from modelkb_viewer.prediction.batching import BatchingPredictor
from modelkb_viewer.prediction.predictor import Predictor
from modelkb_viewer.prediction.recording import LaterPredictions, TriedPredictions


def opened_predictor() -> Predictor:
    """Return what predicts; its processes start when they are first needed."""
    return _predictor(resolve_store_location(None), recorded_code_is_allowed())


def batching_predictor() -> BatchingPredictor:
    """Return the same, for many who ask at once."""
    return _batching(resolve_store_location(None), recorded_code_is_allowed())


def tried_predictions() -> TriedPredictions:
    """Return what records predictions."""
    return _record(resolve_store_location(None))


def later_predictions() -> LaterPredictions:
    """Return what records predictions after they were answered."""
    return _record_later(resolve_store_location(None))


def write_waiting_predictions() -> None:
    """Write what waits to be recorded, before this process ends."""
    if _record_later.cache_info().currsize:
        later_predictions().write()


@functools.cache
def _predictor(location: str, runs_code: bool) -> Predictor:
    return Predictor(location, runs_code=runs_code)


@functools.cache
def _batching(location: str, runs_code: bool) -> BatchingPredictor:
    return BatchingPredictor(_predictor(location, runs_code))


@functools.cache
def _record(location: str) -> TriedPredictions:
    return TriedPredictions(location)


@functools.cache
def _record_later(location: str) -> LaterPredictions:
    return LaterPredictions(_record(location))
