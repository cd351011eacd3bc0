"""Masks that `MultiHeadAttention` takes away from the tensors it is called with.

Keras' layer deletes the masks of its inputs, so that what is called after it on the same tensors
finds none. Where a call is surely after it, there is none here either; where Keras' own order
decides, nothing can be written.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.network.network import Layer
from modelkb_store.codegen.torch.value import Value
from modelkb_store.errors import CodeGenerationError

_Call = tuple[str, int]


@dataclass(slots=True)
class TakenMasks:
    """Follows which calls see a mask."""

    _takers: dict[str, _Call] = field(default_factory=dict)
    _seen: dict[str, list[_Call]] = field(default_factory=dict)
    _ancestors: dict[_Call, set[_Call]] = field(default_factory=dict)

    def without_taken(self, layer: Layer, call: int, structure: Any) -> Any:
        """Return what a layer is called with, without the masks that are taken away by then.

        Args:
            layer: The layer.
            call: Which of its calls.
            structure: Its arguments, with values in the place of tensors.

        Raises:
            CodeGenerationError: It is not sure whether they are.
        """
        asked = layer.calls[call]
        key = layer.name, call
        before = self._ancestors.setdefault(key, set())
        for ref in asked.tensors():
            source = ref.layer, ref.call
            before |= {source, *self._ancestors.get(source, ())}
        masked = [(value, _variable(value)) for value in _masked(structure)]
        for _, variable in masked:
            taker = self._takers.get(variable)
            if taker not in (None, key, *before):
                self._complain(layer)
            self._seen.setdefault(variable, []).append(key)
        gone = {variable for _, variable in masked if self._takers.get(variable) in before}
        if layer.class_name == "MultiHeadAttention":
            for _, variable in masked:
                if any(other != key and other not in before for other in self._seen[variable]):
                    self._complain(layer)
                self._takers.setdefault(variable, key)
        return _without(structure, gone)

    @staticmethod
    def _complain(layer: Layer) -> None:
        raise CodeGenerationError(
            f"layer {layer.name!r} ({layer.class_name})",
            "another layer is called on the same masked tensor as a MultiHeadAttention, which "
            "deletes the mask: which of them is first, Keras does not say",
            "put a layer such as Identity between",
        )


def _variable(value: Value) -> str:
    return ast.unparse(value.node)


def _masked(structure: Any) -> Iterator[Value]:
    if isinstance(structure, Value):
        if structure.mask is not None:
            yield structure
    elif isinstance(structure, Mapping):
        for each in structure.values():
            yield from _masked(each)
    elif isinstance(structure, (list, tuple)):
        for each in structure:
            yield from _masked(each)


def _without(structure: Any, gone: set[str]) -> Any:
    if isinstance(structure, Value):
        is_gone = _variable(structure) in gone
        return dataclasses.replace(structure, mask=None) if is_gone else structure
    if isinstance(structure, Mapping):
        return {key: _without(each, gone) for key, each in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(_without(each, gone) for each in structure)
    return structure
