"""Where in what a layer gives one of its tensors is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.network.network import Layer, TensorRef

# Operations that give several tensors.
_SEVERAL = frozenset(
    (
        *("ArraySplit", "CTCDecode", "Divmod", "Eig", "Eigh", "FFT", "FFT2", "Frexp", "Histogram"),
        *("IFFT2", "JVP", "LuFactor", "Meshgrid", "Modf", "Moments", "Nonzero", "Qr", "RFFT"),
        *("STFT", "SVD", "Scan", "Slogdet", "Split", "TopK", "UnravelIndex", "Unstack"),
    )
)


def output_path(layer: Layer, call: int, output: int, highest: int) -> tuple[int | str, ...]:
    """Return the indices that lead to a tensor in what a call of a layer gives.

    Args:
        layer: The layer.
        call: Which of its calls.
        output: Which of the call's tensors, counted from 0 as if all stood in one list.
        highest: The highest number of a tensor of this call that is used anywhere.

    Returns:
        Nothing for a layer that gives a single tensor; indices of lists and keys of
        dictionaries otherwise.
    """
    if layer.network is not None and layer.network.kind == "functional":
        return list(_paths(layer.network.outputs))[output]
    if highest or _gives_a_list(layer, call):
        return (output,)
    return ()


def _paths(structure: Any) -> Iterator[tuple[int | str, ...]]:
    """Walk the paths of a structure as Keras flattens it: dictionaries by their sorted keys."""
    if isinstance(structure, TensorRef):
        yield ()
    elif isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from ((key, *rest) for rest in _paths(structure[key]))
    else:
        for index, each in enumerate(structure):
            yield from ((index, *rest) for rest in _paths(each))


def _gives_a_list(layer: Layer, call: int) -> bool:
    if layer.is_operation:
        return layer.class_name in _SEVERAL
    kwargs = layer.calls[call].kwargs if call < len(layer.calls) else None
    if (kwargs or {}).get("return_attention_scores"):
        return True
    config: Any = layer.config
    while isinstance(config, Mapping):
        if config.get("return_state"):
            return True
        inner = config.get("layer")
        config = inner.get("config") if isinstance(inner, Mapping) else None
    return False
