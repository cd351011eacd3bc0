"""Predictions of many who ask at once, made together.

A call of ``predict`` costs about the same for one sample as for some hundred. While one is
computed, those that come meanwhile wait, and what goes together is then predicted in one call.
Nobody waits for others to come. What cannot be predicted together is tried one by one, so that
nobody gets the error of another.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import defaultdict
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from modelkb_viewer.prediction.errors import PredictionError, PredictionTimeoutError
from modelkb_viewer.prediction.predictor import ModelState, Predicted, Predictor
from modelkb_viewer.prediction.prepared import MOST_SAMPLES, MOST_VALUES

Arrays = Sequence[np.ndarray[Any, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    """One who waits for a prediction."""

    state: ModelState
    checkpoint: str | int | None
    inputs: Arrays
    names: Sequence[str] | None
    answer: Future[Predicted]

    @property
    def kind(self) -> Hashable:
        """What is equal for those that can be predicted together."""
        like = tuple((each.dtype.str, each.shape[1:]) for each in self.inputs)
        return self.state, self.checkpoint, like, tuple(self.names or ())

    @property
    def sample_count(self) -> int:
        return len(self.inputs[0])

    @property
    def value_count(self) -> int:
        return sum(each.size for each in self.inputs)


class BatchingPredictor:
    """Predicts for threads and tasks that ask at the same time.

    Args:
        predictor: Makes the predictions.

    Example:
        >>> answer = BatchingPredictor(predictor).submit(state, "best", [images])
        >>> answer.result().outputs[0].argmax(axis=-1)
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, list[_Waiting]] = defaultdict(list)
        self._busy: set[Hashable] = set()

    def submit(
        self,
        state: ModelState,
        checkpoint: str | int | None,
        inputs: Arrays,
        names: Sequence[str] | None = None,
    ) -> Future[Predicted]:
        """Have samples predicted; see :meth:`Predictor.predict_state`.

        Returns:
            What the model says to these samples, or what went wrong.
        """
        one = _Waiting(state, checkpoint, inputs, names, Future())
        kind = one.kind
        with self._lock:
            self._waiting[kind].append(one)
            if kind not in self._busy:
                thread = threading.Thread(
                    target=self._work_off, args=(kind,), name="modelkb-predictions", daemon=True
                )
                try:
                    thread.start()
                except BaseException:  # there are too many
                    del self._waiting[kind]
                    raise
                self._busy.add(kind)
        return one.answer

    def _work_off(self, kind: Hashable) -> None:
        while True:
            with self._lock:
                together = _first_of(self._waiting[kind])
                if not together:
                    self._busy.discard(kind)
                    del self._waiting[kind]
                    return
            wanted = [each for each in together if each.answer.set_running_or_notify_cancel()]
            if wanted:
                _answer(self._predictor, wanted)


def _first_of(waiting: list[_Waiting]) -> list[_Waiting]:
    """Take those off a list that have waited longest, as many as one call may have."""
    taken: list[_Waiting] = []
    samples = values = 0
    while waiting:
        samples, values = samples + waiting[0].sample_count, values + waiting[0].value_count
        if taken and (samples > MOST_SAMPLES or values > MOST_VALUES):
            break
        taken.append(waiting.pop(0))
    return taken


def _answer(predictor: Predictor, together: list[_Waiting]) -> None:
    """Answer all, with what they asked for or with what went wrong."""
    answers: Sequence[Predicted | BaseException]
    try:
        answers = _predicted(predictor, together)
    except BaseException as error:  # noqa: BLE001 - it is for those who wait
        # It may be the fault of one. After a timeout each alone may take as long: none is tried.
        are_tried = len(together) > 1 and not isinstance(error, PredictionTimeoutError)
        answers = [_alone(predictor, each) if are_tried else error for each in together]
    for each, answer in zip(together, answers, strict=True):
        if isinstance(answer, BaseException):
            each.answer.set_exception(answer)
        else:
            each.answer.set_result(answer)


def _alone(predictor: Predictor, one: _Waiting) -> Predicted | BaseException:
    try:
        return _predicted(predictor, [one])[0]
    except BaseException as error:  # noqa: BLE001 - it is for who waits
        return error


def _predicted(predictor: Predictor, together: list[_Waiting]) -> list[Predicted]:
    """Return what the model says to each.

    Raises:
        PredictionError: It could not predict, or an output does not have samples first.
    """
    first = together[0]
    inputs = [
        np.concatenate([each.inputs[place] for each in together])
        for place in range(len(first.inputs))
    ]
    predicted = predictor.predict_state(first.state, first.checkpoint, inputs, first.names)
    for name, output in zip(predicted.names, predicted.outputs, strict=True):
        if output.shape[:1] != (len(inputs[0]),):
            raise PredictionError(
                f"The output {name} has the shape {output.shape} for {len(inputs[0])} samples: "
                "one value or array for each sample is expected."
            )
    stops = np.cumsum([each.sample_count for each in together])[:-1]
    parts = [np.split(output, stops) for output in predicted.outputs]
    return [
        dataclasses.replace(predicted, outputs=tuple(part[place] for part in parts))
        for place in range(len(together))
    ]
