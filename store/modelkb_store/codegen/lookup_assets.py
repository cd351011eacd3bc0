"""What lookup layers have learned, which Keras keeps in files beside the configuration."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

from modelkb_store.codegen.network.auto_names import snake_case
from modelkb_store.shortest_float import shortest_float

_LOOKUPS = {
    "StringLookup": "",
    "IntegerLookup": "",
    "TextVectorization": "_lookup_layer/",
}


def with_vocabularies(config: Any, read: Callable[[str], bytes | None]) -> Any:
    """Return a model's configuration with the vocabularies that its layers have learned.

    Args:
        config: The model as Keras serializes it.
        read: Returns a member of the ``.keras`` file by its name; None if there is none.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        return config
    return {**config, "config": _with_layers(config["config"], "", read)}


def _with_layers(
    config: dict[str, Any], folder: str, read: Callable[[str], bytes | None]
) -> dict[str, Any]:
    layers = config.get("layers")
    if not isinstance(layers, list):
        return config
    counts: Counter[str] = Counter()
    found = []
    for entry in layers:
        if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
            found.append(entry)
            continue
        # Keras names files by class and count, whatever a layer's name is.
        base = snake_case(str(entry.get("class_name")))
        name = f"{base}_{counts[base]}" if counts[base] else base
        counts[base] += 1
        inner = _with_layers(entry["config"], f"{folder}layers/{name}/", read)
        found.append(
            {**entry, "config": _with_vocabulary(entry, inner, f"{folder}layers/{name}/", read)}
        )
    return {**config, "layers": found}


def _with_vocabulary(
    entry: dict[str, Any],
    config: dict[str, Any],
    folder: str,
    read: Callable[[str], bytes | None],
) -> dict[str, Any]:
    inner = _LOOKUPS.get(str(entry.get("class_name")))
    if inner is None or config.get("vocabulary") is not None:
        return config
    text = read(f"assets/{folder}{inner}vocabulary.txt")
    if text is None:
        return config
    tokens: list[Any] = text.decode("utf-8").split("\n")
    if entry["class_name"] == "IntegerLookup":
        tokens = [int(token) for token in tokens]
    learned = {**config, "vocabulary": tokens}
    if config.get("output_mode") == "tf_idf":
        weights = _idf_weights(f"{folder}{inner}vars/idf_weights", read)
        # Those of tokens alone: what pads them to the most tokens is added by Keras.
        learned["idf_weights"] = weights[: len(tokens)]
    return learned


def _idf_weights(name: str, read: Callable[[str], bytes | None]) -> list[float]:
    import h5py  # not needed for most files

    with h5py.File(io.BytesIO(read("model.weights.h5") or b""), "r") as file:
        return [shortest_float(weight) for weight in file[name][:].tolist()]
