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
    stacked = _structure_of_stacked(layer)
    if stacked is not None:
        return list(_paths(stacked))[output]
    if highest or _gives_a_list(layer, call):
        return (output,)
    return ()


def _structure_of_stacked(layer: Layer) -> list[Any] | None:
    """Return the structure of what stacked cells give: each cell's states are a list of their own.

    Returns:
        Lists, with None in place of tensors; None for any other layer.
    """
    each_way = [layer.config]
    outputs = 1
    if layer.class_name == "Bidirectional":
        outputs = 1 if layer.config.get("merge_mode") else 2
        forward = layer.config.get("layer")
        each_way = [_config(forward), _config(layer.config.get("backward_layer") or forward)]
    cells = [config.get("cell") for config in each_way]
    is_stacked = any(_class_name(cell) == "StackedRNNCells" for cell in cells)
    if not is_stacked or not each_way[0].get("return_state"):
        return None
    return [None] * outputs + [state for cell in cells for state in _states(cell)]


def _states(cell: Any) -> list[Any]:
    if _class_name(cell) == "LSTMCell":
        return [None, None]
    if _class_name(cell) != "StackedRNNCells":
        return [None]
    inner = [_states(each) for each in _config(cell).get("cells") or ()]
    return [states[0] if len(states) == 1 else states for states in inner]


def _class_name(entry: Any) -> Any:
    return entry.get("class_name") if isinstance(entry, Mapping) else None


def _config(entry: Any) -> Mapping[str, Any]:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def _paths(structure: Any) -> Iterator[tuple[int | str, ...]]:
    """Walk the paths of a structure as Keras flattens it: dictionaries by their sorted keys."""
    if structure is None or isinstance(structure, TensorRef):
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
