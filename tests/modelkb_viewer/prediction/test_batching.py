from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest

from modelkb_viewer.prediction.batching import BatchingPredictor
from modelkb_viewer.prediction.errors import PredictionError, PredictionTimeoutError
from modelkb_viewer.prediction.predictor import ModelState, Predicted, Predictor

STATE = ModelState("e", "tensorflow", "r")
ONE = np.ones((1, 3))
WAIT = 10.0
Array = np.ndarray[Any, Any]


class Gated:
    """Predicts by a function, as soon as it may; the first call is for itself."""

    def __init__(self, model: Callable[[Array], Array]) -> None:
        self._model = model
        self.began, self.go_on = threading.Event(), threading.Event()
        self.sizes: list[int] = []

    def predict_state(
        self, state: ModelState, checkpoint: object, inputs: Sequence[Array], names: object
    ) -> Predicted:
        self.sizes.append(len(inputs[0]))
        self.began.set()
        assert self.go_on.wait(WAIT)
        return Predicted((self._model(inputs[0]),), ("output",), 0.0, 0.0, "tensorflow")


def waiting(
    model: Callable[[Array], Array], *inputs: Array, cancelled: Sequence[int] = ()
) -> tuple[Gated, list[object]]:
    """Return what inputs are answered that came while something else was computed."""
    gated = Gated(model)
    batching = BatchingPredictor(cast("Predictor", gated))
    batching.submit(STATE, None, [ONE])
    assert gated.began.wait(WAIT)
    answers = [batching.submit(STATE, None, [each]) for each in inputs]
    for place in cancelled:
        assert answers[place].cancel()
    gated.go_on.set()
    kept = [each for place, each in enumerate(answers) if place not in cancelled]
    found: list[object] = [each.exception(WAIT) or each.result().outputs[0] for each in kept]
    # A later one is answered as well.
    last = batching.submit(STATE, None, [ONE])
    last.exception(WAIT)
    return gated, found


def sums(x: Array) -> Array:
    if (x < 0).any():
        raise PredictionError("index -1 is not in [0, 10)")
    total: Array = x.sum(-1)
    return total


def test_those_who_wait_are_predicted_in_one_call() -> None:
    gated, found = waiting(sums, ONE, 2 * np.ones((2, 3)), 3 * ONE)
    assert gated.sizes[:2] == [1, 4]
    for answer, expected in zip(found, ([3], [6, 6], [9]), strict=True):
        np.testing.assert_array_equal(cast("Array", answer), expected)


def test_nobody_gets_the_error_of_another() -> None:
    _, (before, error, after) = waiting(sums, ONE, -ONE, 2 * ONE)
    assert isinstance(error, PredictionError)
    assert "index -1" in str(error)
    np.testing.assert_array_equal(cast("Array", before), [3])
    np.testing.assert_array_equal(cast("Array", after), [6])


def test_who_no_longer_waits_stops_nobody() -> None:
    gated, (answer,) = waiting(sums, ONE, ONE, cancelled=[0])
    assert gated.sizes[1] == 1
    np.testing.assert_array_equal(cast("Array", answer), [3])


@pytest.mark.parametrize("shape", [(), (7,), (3, 1)])
def test_an_output_without_samples_first_is_an_error(shape: tuple[int, ...]) -> None:
    _, found = waiting(lambda x: np.zeros(shape), ONE, ONE)
    assert all(isinstance(each, PredictionError) for each in found)
    assert str(shape) in str(found[0])


def test_what_goes_wrong_outside_the_model_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    concatenate = np.concatenate

    def small_memory(arrays: Sequence[Array]) -> Array:
        if len(arrays) > 1:
            raise MemoryError
        return concatenate(arrays)

    monkeypatch.setattr("modelkb_viewer.prediction.batching.np.concatenate", small_memory)
    _, found = waiting(sums, ONE, ONE)
    for each in found:
        np.testing.assert_array_equal(cast("Array", each), [3])


def test_nobody_waits_for_each_of_many_to_take_too_long() -> None:
    def slow(x: Array) -> Array:
        if len(x) > 1:
            raise PredictionTimeoutError(120)
        return sums(x)

    gated, found = waiting(slow, ONE, ONE)
    assert all(isinstance(each, PredictionTimeoutError) for each in found)
    assert gated.sizes == [1, 2, 1]


def test_after_a_thread_could_not_be_started_another_is(monkeypatch: pytest.MonkeyPatch) -> None:
    gated = Gated(sums)
    gated.go_on.set()
    batching = BatchingPredictor(cast("Predictor", gated))

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="new thread"):
        patch.setattr(threading.Thread, "start", no_thread)
        batching.submit(STATE, None, [ONE])
    answer = batching.submit(STATE, None, [ONE])
    np.testing.assert_array_equal(answer.result(WAIT).outputs[0], [3])
    assert gated.sizes == [1]
