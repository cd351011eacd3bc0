"""Arrays that people upload as ``.npy`` files."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import (
    Prepared,
    as_recorded_type,
    limited,
    rows_of,
    value_warnings,
)

_MOST_BYTES = 400 << 20
_NUMBERS = "biuf"
_TEXTS = "US"


def read_array(name: str, content: bytes) -> np.ndarray[Any, Any]:
    """Read a ``.npy`` file of numbers or texts; nothing in it is unpickled.

    Raises:
        InputError: It is none, damaged, or holds something else.
    """
    expected = "a .npy file of numbers or texts, as numpy.save writes it"
    if content[:4] == b"PK\x03\x04":
        raise InputError(name, "it is an archive (.npz) of several arrays", expected)
    stream = io.BytesIO(content)
    try:
        shape, _, dtype = _header(stream)
        left = len(content) - stream.tell()
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or dtype.kind not in _NUMBERS + _TEXTS:
            raise InputError(name, f"its values are of the type {dtype}", expected)
        # Before the memory that the header speaks of is asked for.
        if any(extent < 0 for extent in shape) or size != left or size > _MOST_BYTES:
            problem = f"its header speaks of {size:,} bytes of values, and there are {left:,}"
            raise InputError(name, problem, expected)
        stream.seek(0)
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    except InputError:
        raise
    # The header is text that may hold anything.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(name, f"it is damaged, or no .npy file ({reason})", expected) from error


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def prepare_array(name: str, array: np.ndarray[Any, Any], spec: InputSpec) -> Prepared:
    """Return an array, one sample or several, as samples of an input; its values are kept.

    Raises:
        InputError: Its shape or type does not go with the input.
    """
    if spec.is_text != (array.dtype.kind in _TEXTS):
        received = "texts" if array.dtype.kind in _TEXTS else "numbers"
        raise InputError(name, f"it holds {received}", spec.text())
    samples, steps = _samples(name, array, spec)
    samples, limit_steps = limited(samples, name)
    steps = [*limit_steps, *steps]
    if spec.is_text:
        texts = np.char.decode(samples, "utf-8", "replace") if array.dtype.kind == "S" else samples
        return Prepared(texts, rows_of(len(texts)), tuple(steps))
    typed = as_recorded_type(samples, spec)
    if spec.is_integer and not np.array_equal(typed, samples):
        steps.append("rounded to whole numbers")
    steps.append("values kept as they are")
    warnings = tuple(value_warnings(samples, spec))
    return Prepared(typed, rows_of(len(typed)), tuple(steps), warnings)


def _samples(
    name: str, array: np.ndarray[Any, Any], spec: InputSpec
) -> tuple[np.ndarray[Any, Any], list[str]]:
    if _fits(array.shape[1:], spec) and array.ndim:
        return array, []
    if _fits(array.shape, spec):
        return array[None], ["one sample"]
    # A picture without its axis of channels, or numbers without one of features.
    if spec.shape[-1:] == (1,):
        if array.ndim and _fits((*array.shape[1:], 1), spec):
            return array[..., None], [f"an axis added: {_text(array.shape)} -> .. x 1"]
        if _fits((*array.shape, 1), spec):
            return array[None, ..., None], ["one sample, an axis added at its end"]
    count = spec.value_count
    if count is not None and count > 1 and array.ndim in (1, 2) and array.shape[-1] == count:
        wanted = tuple(each or 0 for each in spec.shape)
        words = f"each {count} values -> {spec.shape_text()}, row by row"
        return array.reshape(-1, *wanted), [words]
    expected = f"{spec.shape_text()} for each sample, with or without an axis of samples before it"
    raise InputError(name, f"its shape is {_text(array.shape)}", expected)


def _fits(shape: tuple[int, ...], spec: InputSpec) -> bool:
    return len(shape) == len(spec.shape) and all(
        wanted is None or wanted == extent for extent, wanted in zip(shape, spec.shape, strict=True)
    )


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "that of a single value"
