"""The description of some data, from what it says of itself and what was seen of it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import keras

from modelkb_callbacks.datasets.array_profile import profile_arrays
from modelkb_callbacks.datasets.data_profile import DataProfile
from modelkb_callbacks.datasets.data_spec import array_spec, seen_spec, tensor_spec
from modelkb_callbacks.datasets.stream_watch import StreamWatch
from modelkb_store.ids import content_id
from modelkb_store.records import DatasetRecord

_NO_ID_FROM = ("dataset_id", "created_at", "source")


def record_of_arrays(
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


def record_of_stream(
    data: Any,
    stream: StreamWatch,
    class_names: Sequence[str] | None,
    *,
    scope: str,
    is_cut: bool,
) -> DatasetRecord:
    """Return the description of data of which batches were seen, or could not be.

    Args:
        data: The data argument.
        stream: What was seen of it.
        class_names: Names of the classes, if known.
        scope: ``epoch`` or ``part``.
        is_cut: Whether a number of steps ends each epoch.
    """
    profile = stream.profile
    batches = batch_count(data)
    x, y = stream.template
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
        _kind_of(data),
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


def _kind_of(x: Any) -> str:
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


def batch_count(data: Any) -> int | None:
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
