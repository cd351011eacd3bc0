"""Descriptions of the data arguments of ``fit``; the data itself is not iterated."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.rows import are_arrays, row_count, take_rows
from modelkb_store.ids import canonical_json, content_id
from modelkb_store.records import DatasetRecord

_FINGERPRINTED_ROWS = 256


def describe_fit_data(
    call: FitCall, class_names: Sequence[str] | None
) -> tuple[DatasetRecord, DatasetRecord | None]:
    """Return the descriptions of the training data and of the validation data, if any."""
    x, y = call.training_data()
    if call.arguments.get("validation_data") is not None:
        return _describe(x, y, class_names), _describe(*call.validation_data(), class_names)
    if not call.is_validated or not are_arrays(x):
        return _describe(x, y, class_names), None
    cut = call.split_position(row_count(x))
    return (
        _describe(x, y, class_names, stop=cut),
        _describe(x, y, class_names, start=cut),
    )


def describe_data(x: Any, y: Any, class_names: Sequence[str] | None = None) -> DatasetRecord:
    """Return the description of some data."""
    return _describe(x, y, class_names)


def _describe(
    x: Any,
    y: Any,
    class_names: Sequence[str] | None,
    start: int = 0,
    stop: int | None = None,
) -> DatasetRecord:
    facts: dict[str, Any] = {
        "kind": _kind(x),
        "inputs": None,
        "targets": None,
        "sample_count": None,
        "batch_count": None,
        "class_names": tuple(class_names) if class_names else None,
        "fingerprint": None,
        "fingerprint_sample_count": None,
    }
    if are_arrays(x, y):
        rows = row_count(x)
        facts.update(_array_facts(x, y, start, rows if stop is None else stop))
    elif hasattr(x, "element_spec"):
        facts.update(_tf_data_facts(x))
    elif isinstance(x, keras.utils.PyDataset):
        batches = x.num_batches
        facts["batch_count"] = None if batches is None else int(batches)
    return DatasetRecord(
        dataset_id=content_id(facts), created_at=datetime.now(timezone.utc), **facts
    )


def _kind(x: Any) -> str:
    if are_arrays(x):
        return "arrays"
    if hasattr(x, "element_spec"):
        return "tf.data.Dataset"
    if isinstance(x, keras.utils.PyDataset):
        return "keras.utils.PyDataset"
    if inspect.isgenerator(x):
        return "generator"
    return f"{type(x).__module__}.{type(x).__qualname__}"


def _array_facts(x: Any, y: Any, start: int, stop: int) -> dict[str, Any]:
    count = stop - start
    indices = start + np.linspace(0, max(count - 1, 0), min(count, _FINGERPRINTED_ROWS))
    return {
        "inputs": _array_specs(x),
        "targets": _array_specs(y),
        "sample_count": count,
        "fingerprint": _fingerprint((x, y), indices.astype(np.int64)),
        "fingerprint_sample_count": len(indices),
    }


def _fingerprint(data: Any, indices: np.ndarray[Any, Any]) -> str:
    """Hash evenly spread rows: bounded in time, so a change in between can go unseen."""
    digest = hashlib.sha256()
    for leaf in keras.tree.flatten(data):
        if leaf is not None:
            digest.update(_bytes(take_rows(leaf, indices)))
    return digest.hexdigest()[:32]


def _bytes(rows: np.ndarray[Any, Any]) -> bytes:
    if rows.dtype.hasobject:  # its memory holds addresses
        return repr(rows.tolist()).encode()
    return np.ascontiguousarray(rows).tobytes()


def _array_specs(structure: Any) -> str | None:
    return _specs(structure, lambda leaf: [int(extent) for extent in leaf.shape[1:]])


def _tf_data_facts(dataset: Any) -> dict[str, Any]:
    spec = dataset.element_spec
    inputs, targets = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, None)
    if isinstance(spec, tuple) and len(spec) == 3:
        inputs, targets, _ = spec
    batches = int(dataset.cardinality())
    return {
        "inputs": _specs(inputs, _tensor_shape),
        "targets": _specs(targets, _tensor_shape),
        "batch_count": batches if batches >= 0 else None,  # infinite or unknown
    }


def _tensor_shape(spec: Any) -> list[int | None] | None:
    if spec.shape.rank is None:
        return None
    return list(spec.shape.as_list()[1:])


def _specs(structure: Any, shape_of: Any) -> str | None:
    """Return shapes (without the batch axis) and dtypes as JSON, with the names of a mapping."""
    if structure is None:
        return None
    names = sorted(structure) if isinstance(structure, dict) else None
    leaves = [leaf for leaf in keras.tree.flatten(structure) if leaf is not None]
    rows = [
        {"name": names[index] if names and len(names) == len(leaves) else None,
         "shape": shape_of(leaf), "dtype": _dtype_name(leaf)}
        for index, leaf in enumerate(leaves)
    ]  # fmt: skip
    return canonical_json(rows)


def _dtype_name(leaf: Any) -> str | None:
    dtype = getattr(leaf, "dtype", None)
    if dtype is None and hasattr(leaf, "dtypes"):  # a data frame has one for each column
        return ", ".join(sorted({str(kind) for kind in leaf.dtypes}))
    return None if dtype is None else str(getattr(dtype, "name", dtype))
