"""Vocabularies that lookup layers have learned, which Keras keeps beside the configuration."""

from __future__ import annotations

from typing import Any

import keras

from modelkb_callbacks.credentials import redacted
from modelkb_callbacks.rows import to_numpy

_MOST_TOKENS = 1_000_000
_LOOKUPS = (
    keras.layers.StringLookup,
    keras.layers.IntegerLookup,
    keras.layers.TextVectorization,
)


def with_vocabularies(model: Any, config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a model's configuration with the vocabularies of its layers, as they take them.

    Args:
        model: The model.
        config: What Keras made of it; it is not changed.

    Returns:
        The configuration, and what had to be left out of it, for people.
    """
    problems: list[str] = []
    inner = config.get("config")
    if isinstance(inner, dict) and isinstance(inner.get("layers"), list):
        return {**config, "config": _with_layers(model, inner, problems)}, problems
    return config, problems


def _with_layers(container: Any, config: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    layers = {layer.name: layer for layer in getattr(container, "layers", ())}
    entries = []
    for entry in config["layers"]:
        inner = entry.get("config") if isinstance(entry, dict) else None
        layer = layers.get(inner.get("name")) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and layer is not None:
            if isinstance(inner.get("layers"), list):
                inner = _with_layers(layer, inner, problems)
            elif isinstance(layer, _LOOKUPS) and inner.get("vocabulary") is None:
                inner = {**inner, **_learned(layer, problems)}
            entry = {**entry, "config": inner}  # noqa: PLW2901 - the same with more in it
        entries.append(entry)
    return {**config, "layers": entries}


def _learned(layer: Any, problems: list[str]) -> dict[str, Any]:
    """Return the arguments that give a layer what it has learned; nothing if it has not."""
    size = int(layer.vocabulary_size())
    if size > _MOST_TOKENS:
        problems.append(f"left out the vocabulary of {layer.name}: it has {size:,} tokens")
        return {}
    lookup = getattr(layer, "_lookup_layer", layer)
    is_weighted = lookup.output_mode == "tf_idf"
    # With the special tokens, whose weights would else be made anew, by another rounding.
    tokens = [_plain(each) for each in layer.get_vocabulary(include_special_tokens=is_weighted)]
    if not layer.get_vocabulary(include_special_tokens=False):
        return {}
    if redacted(tokens, of_model=True) != tokens:
        problems.append(f"left out the vocabulary of {layer.name}: a token looks like a credential")
        return {}
    found: dict[str, Any] = {"vocabulary": tokens}
    if is_weighted:
        found["idf_weights"] = to_numpy(lookup.idf_weights).tolist()[: len(tokens)]
    return found


def _plain(token: Any) -> Any:
    return token.item() if hasattr(token, "item") else token
