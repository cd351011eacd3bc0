"""Attributes of HDF5 groups and datasets as JSON values, of every type that HDF5 has.

Keras writes strings, which are strings in JSON too. Anything else is an object of the
attribute's type, its shape and its bytes or strings, so that it comes back as it was.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from modelkb_store.weights import hdf5_type

Attributes = dict[str, Any]
_OBJECT = np.dtype(object)


def read_attributes(node: Any) -> Attributes:
    """Return the attributes of an open group or dataset, as JSON values.

    Raises:
        ValueError: One has values that refer to other places in the file.
    """
    return {name: _read(node, name) for name in node.attrs}


def write_attributes(node: Any, attributes: Attributes) -> None:
    """Give an open group or dataset what :func:`read_attributes` returned."""
    for name, value in attributes.items():
        if isinstance(value, str):
            node.attrs[name] = value
        else:
            _write(node, name, value)


def _read(node: Any, name: str) -> Any:
    import h5py

    attribute = node.attrs.get_id(name)
    kind, space = attribute.get_type(), attribute.get_space()
    is_null = space.get_simple_extent_type() == h5py.h5s.NULL
    shape = None if is_null else list(attribute.shape)
    facts = {"type": hdf5_type.encoded(kind), "shape": shape}
    if is_null:
        return facts
    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        texts = node.attrs[name]
        if isinstance(texts, str) and hdf5_type.is_same(kind, hdf5_type.own_type(_OBJECT)):
            return texts
        return facts | {"strings": [_text(text) for text in np.asarray(texts, object).flat]}
    if kind.detect_class(h5py.h5t.VLEN) or kind.detect_class(h5py.h5t.REFERENCE):
        raise ValueError(f"an attribute has the type {kind.dtype}")
    content = np.empty(attribute.shape, f"V{kind.get_size()}")
    if content.size:
        attribute.read(content, mtype=kind)
    return facts | {"bytes": base64.b64encode(content.tobytes()).decode()}


def _write(node: Any, name: str, facts: dict[str, Any]) -> None:
    import h5py

    kind = hdf5_type.decoded(facts["type"])
    shape = None if facts["shape"] is None else tuple(facts["shape"])
    space = _space(shape)
    attribute = h5py.h5a.create(node.id, name.encode(), kind, space)
    if shape is None or 0 in shape:
        return
    if "strings" in facts:
        texts = [text.encode("utf-8", "surrogateescape") for text in facts["strings"]]
        content = np.empty(shape, h5py.string_dtype())
        content.reshape(-1)[:] = texts
        attribute.write(content)
    else:
        raw = np.frombuffer(base64.b64decode(facts["bytes"]), f"V{kind.get_size()}")
        attribute.write(raw.reshape(shape).copy(), mtype=kind)


def _space(shape: tuple[int, ...] | None) -> Any:
    import h5py

    if shape is None:
        return h5py.h5s.create(h5py.h5s.NULL)
    return h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)


def _text(text: str | bytes) -> str:
    return text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
