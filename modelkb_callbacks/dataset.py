"""Descriptions of the data arguments of ``fit``; nothing of ours ever iterates the data.

Arrays are described when training begins. Of everything else the batches tell that the first
epoch consumes anyway: a tap shows them, and a thread of ours takes them in.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import keras

from modelkb_callbacks.array_profile import profile_arrays
from modelkb_callbacks.class_counter import label_forms
from modelkb_callbacks.data_profile import DataProfile
from modelkb_callbacks.data_spec import array_spec, seen_spec, tensor_spec
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.frameworks.framework import Phase
from modelkb_callbacks.rows import are_arrays, row_count
from modelkb_callbacks.stream_watch import StreamWatch
from modelkb_store.ids import content_id
from modelkb_store.records import DatasetRecord

_NO_ID_FROM = ("dataset_id", "created_at", "source")


class DatasetWatch:
    """Describes the training and validation data of one ``fit``.

    Args:
        model: The compiled model.
        call: The arguments of ``fit``.
        framework: The backend.
        class_names: Names of the classes, if known.
        source: Where the scanner found the training data to come from, as JSON.

    Attributes:
        source: As above; it may be set until :meth:`begin`.
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
        self.source = source
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
            whole = whole and seen == (steps or _batch_count(data))
        record = _record_of_stream(
            data,
            stream,
            self._class_names,
            scope="epoch" if whole else "part",
            is_cut=steps is not None,
        )
        if training:
            self.training = replace(record, source=self.source)
        else:
            self.validation = record
        if stream.problem:
            self._note("training" if training else "validation", stream.problem)

    def _describe(self, x: Any, y: Any, rows: range, name: str) -> DatasetRecord:
        forms = label_forms(self._model)
        record, problem = _record_of_arrays(x, y, rows, self._class_names, forms)
        if problem:
            self._note(name, problem)
        # Where validation data comes from, the scanner does not say; a split has one source.
        is_source = name == "training" or self._call.arguments.get("validation_data") is None
        return replace(record, source=self.source if is_source else None)

    def _note(self, name: str, problem: str) -> None:
        self._problems.append(f"no fingerprint of the {name} data: {problem}")


def describe_data(
    x: Any,
    y: Any,
    class_names: Sequence[str] | None = None,
    source: str | None = None,
    *,
    model: Any = None,
) -> DatasetRecord:
    """Return the description of data that is not watched, such as that of ``evaluate``.

    Args:
        x: Inputs: arrays, which are fingerprinted, or anything that yields batches, of which
            only what it says of itself is described.
        y: Labels, if they are apart.
        class_names: Names of the classes, if known.
        source: Where the scanner found the data to come from, as JSON.
        model: The compiled model, whose loss tells whether labels are classes.
    """
    if are_arrays(x, y):
        forms = label_forms(model)
        record, _ = _record_of_arrays(x, y, range(row_count(x)), class_names, forms)
    else:
        record = _record_of_stream(x, None, class_names, scope="part", is_cut=True)
    return replace(record, source=source)


def _record_of_arrays(
    x: Any, y: Any, rows: range, class_names: Sequence[str] | None, forms: tuple[Any, ...]
) -> tuple[DatasetRecord, str | None]:
    """Return the description of some rows of arrays, and why it has no fingerprint."""
    problem, scope = None, None
    profile = DataProfile(forms)
    try:
        profile, scope = profile_arrays(x, y, rows, forms)
    except Exception as error:  # noqa: BLE001 - no known form; said in the record
        problem = str(error) or type(error).__name__
    record = _record(
        "arrays",
        profile if problem is None else None,
        class_names,
        inputs=array_spec(x, profile.inputs),
        targets=array_spec(y, profile.targets),
        sample_count=len(rows),
        batch_count=None,
        scope=scope,
    )
    return record, problem


def _record_of_stream(
    data: Any,
    stream: StreamWatch | None,
    class_names: Sequence[str] | None,
    *,
    scope: str,
    is_cut: bool,
) -> DatasetRecord:
    profile = None if stream is None else stream.profile
    batches = _batch_count(data)
    x, y = (None, None) if stream is None else stream.template
    inputs, targets = (
        (seen_spec(x, profile.inputs), seen_spec(y, profile.targets)) if profile else (None, None)
    )
    if hasattr(data, "element_spec"):
        x, y = _halves(data.element_spec)
        inputs = tensor_spec(x, profile.inputs if profile else ())
        targets = tensor_spec(y, profile.targets if profile else ())
    samples = None
    if profile is not None and scope == "epoch":
        # All there is: every batch that the data says it has, or until it ended by itself.
        ended = not is_cut if batches is None else profile.batch_count == batches
        samples = profile.fingerprint.sample_count if ended else None
    return _record(
        kind_of(data),
        profile,
        class_names,
        inputs=inputs,
        targets=targets,
        sample_count=samples,
        batch_count=batches,
        scope=scope,
    )


def _record(
    kind: str,
    profile: DataProfile | None,
    class_names: Sequence[str] | None,
    *,
    inputs: str | None,
    targets: str | None,
    sample_count: int | None,
    batch_count: int | None,
    scope: str | None,
) -> DatasetRecord:
    fingerprint = None if profile is None else profile.fingerprint
    if fingerprint is not None and not fingerprint.sample_count:
        fingerprint = None
    record = DatasetRecord(
        dataset_id="",
        created_at=datetime.now(timezone.utc),
        kind=kind,
        inputs=inputs,
        targets=targets,
        sample_count=sample_count,
        batch_count=batch_count,
        class_names=tuple(class_names) if class_names else None,
        fingerprint=fingerprint.text() if fingerprint else None,
        fingerprint_sample_count=fingerprint.sample_count if fingerprint else None,
        fingerprint_scope=scope if fingerprint else None,
        class_counts=profile.class_counts(len(class_names or ())) if profile else None,
    )
    facts = {name: getattr(record, name) for name in record.__slots__ if name not in _NO_ID_FROM}
    return replace(record, dataset_id=content_id(facts))


def kind_of(x: Any) -> str:
    """Return what the table calls this kind of data that is not arrays."""
    if hasattr(x, "element_spec"):
        return "tf.data.Dataset"
    if isinstance(x, keras.utils.PyDataset):
        return "keras.utils.PyDataset"
    if inspect.isgenerator(x):
        return "generator"
    return f"{type(x).__module__}.{type(x).__qualname__}"


def _halves(spec: Any) -> tuple[Any, Any]:
    if isinstance(spec, tuple) and len(spec) in (2, 3):
        return spec[0], spec[1]
    return spec, None


def _batch_count(data: Any) -> int | None:
    """Return how many batches the data says it has; None if it is endless or does not say."""
    if hasattr(data, "element_spec"):
        batches = int(data.cardinality())
        return batches if batches >= 0 else None
    if isinstance(data, keras.utils.PyDataset):
        batches = data.num_batches
        return None if batches is None else int(batches)
    if inspect.isgenerator(data) or not hasattr(data, "__len__"):
        return None
    try:
        return len(data)
    except Exception:  # noqa: BLE001 - a loader of an iterable has no length
        return None
