"""What stands in the brackets behind a tensor."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.torch.code import literal
from modelkb_store.codegen.torch.site import Site

_PARTS = ("start", "stop", "step")


def index(site: Site, value: Any) -> ast.expr:
    """Return an index: numbers, slices, new axes and `...`, as Keras serializes them.

    Args:
        site: The operation.
        value: The index.
    """
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        value = (value.get("config") or {}).get("value") or value.get("items")
    if isinstance(value, (list, tuple)):
        return ast.Tuple([_one(site, each) for each in value])
    return _one(site, value)


def _one(site: Site, value: Any) -> ast.expr:
    if value is None or type(value) is int:
        return literal(value)
    kind = value.get("class_name") if isinstance(value, Mapping) else None
    if kind == "__ellipsis__":
        return ast.Constant(...)
    if kind == "__slice__":
        config = value.get("config") or {}
        bounds = [config.get(part) for part in _PARTS]
        whole = all(each is None or type(each) is int for each in bounds)
        if whole and (bounds[2] or 1) > 0:  # PyTorch cannot walk backwards
            return ast.Slice(*(None if each is None else literal(each) for each in bounds))
    site.refuse("PyTorch has no counterpart of its index")
    raise AssertionError
