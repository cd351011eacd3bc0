"""Descriptions of the data arguments of ``fit``; nothing of ours ever iterates the data.

Arrays are described when training begins. Of everything else the batches tell that the first
epoch consumes anyway: a tap shows them, and a thread of ours takes them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from modelkb_callbacks.datasets.class_counter import label_forms
from modelkb_callbacks.datasets.dataset_record import (
    batch_count,
    record_of_arrays,
    record_of_stream,
)
from modelkb_callbacks.datasets.stream_watch import StreamWatch
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.frameworks.framework import Phase
from modelkb_callbacks.rows import are_arrays, row_count
from modelkb_store.records import DatasetRecord


class DatasetWatch:
    """Describes the training and validation data of one ``fit``.

    Args:
        model: The compiled model.
        call: The arguments of ``fit``.
        framework: The backend.
        class_names: Names of the classes, if known.
        source: Where the scanner found the training data to come from, as JSON.

    Attributes:
        training: The training data; None while it is not known, or if ``fit`` was not seen.
        validation: The validation data, likewise, or if there is none.
    """

    def __init__(
        self,
        model: Any,
        call: FitCall,
        framework: Framework,
        class_names: Sequence[str] | None,
        source: str | None,
    ) -> None:
        self._model = model
        self._call = call
        self._framework = framework
        self._class_names = class_names
        self._source = source
        self._streams: dict[Phase, StreamWatch] = {}
        self._problems: list[str] = []
        self.training: DatasetRecord | None = None
        self.validation: DatasetRecord | None = None

    @property
    def problem(self) -> str | None:
        """Why data has no fingerprint, in words for the record; None if all of it has."""
        return "; ".join(self._problems) or None

    def begin(self) -> None:
        """Describe arrays, and put taps in place for everything else, before the first step."""
        x, y = self._call.training_data()
        if are_arrays(x, y):
            rows = row_count(x)
            cut = self._call.split_position(rows)
            self.training = self._describe(x, y, range(cut), "training")
            if cut < rows:
                self.validation = self._describe(x, y, range(cut, rows), "validation")
        elif x is not None:
            self._watch("train")
        x, y = self._call.validation_data()
        if are_arrays(x, y):
            self.validation = self._describe(x, y, range(row_count(x)), "validation")
        elif x is not None:
            self._watch("test")

    def begin_validation(self) -> None:
        """See what a validation pass of ``fit`` consumes, if none was seen yet."""
        if "test" in self._streams:
            self._streams["test"].begin()

    def end_validation(self) -> None:
        """Describe what the pass has consumed."""
        self._close("test", whole=True)

    def end_epoch(self) -> None:
        """Describe what the first epoch has consumed; later ones show nothing new."""
        self._close("train", whole=True)

    def finish(self) -> None:
        """Describe what an epoch or pass that came to no end has consumed."""
        self._close("train", whole=False)
        self._close("test", whole=False)

    def _watch(self, phase: Phase) -> None:
        untraced = phase in self._call.untraced
        tap = self._framework.tap_batches(self._model, phase, untraced=untraced)
        stream = StreamWatch(tap, label_forms(self._model))
        self._streams[phase] = stream
        if phase == "train":
            stream.begin()
        if tap is None:
            self._close(phase, whole=True)

    def _close(self, phase: Phase, *, whole: bool) -> None:
        stream = self._streams.pop(phase, None)
        if stream is None:
            return
        stream.close()
        training = phase == "train"
        data = self._call.training_data()[0] if training else self._call.validation_data()[0]
        steps = self._call.arguments.get("steps_per_epoch" if training else "validation_steps")
        if training and getattr(self._model, "stop_training", False):
            # A callback may have ended the epoch in its middle, or just said that it is the last.
            seen = None if stream.profile is None else stream.profile.batch_count
            whole = whole and seen == (steps or batch_count(data))
        record = record_of_stream(
            data,
            stream,
            self._class_names,
            scope="epoch" if whole else "part",
            is_cut=steps is not None,
        )
        if training:
            self.training = replace(record, source=self._source)
        else:
            self.validation = record
        if stream.problem:
            self._note("training" if training else "validation", stream.problem)

    def _describe(self, x: Any, y: Any, rows: range, name: str) -> DatasetRecord:
        forms = label_forms(self._model)
        record, problem = record_of_arrays(x, y, rows, self._class_names, forms)
        if problem:
            self._note(name, problem)
        # Where validation data comes from, the scanner does not say; a split has one source.
        is_source = name == "training" or self._call.arguments.get("validation_data") is None
        return replace(record, source=self._source if is_source else None)

    def _note(self, name: str, problem: str) -> None:
        self._problems.append(f"no fingerprint of the {name} data: {problem}")
