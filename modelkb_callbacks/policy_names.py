"""Dtype policies in a model's configuration, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_policy_names(config: Any) -> Any:
    """Return a configuration with the names of dtype policies in place of their configurations.

    Keras 3 writes some hundred bytes about the policy of each layer, which are a tenth of a
    model's configuration. Every version of Keras reads the name as well, and builds the same layer.

    Args:
        config: What Keras serializes of a model, or any part of it.

    Example:
        >>> policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
        >>> with_policy_names({"units": 5, "dtype": policy})
        {'units': 5, 'dtype': 'float32'}
    """
    if isinstance(config, list):
        return [with_policy_names(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        key: value["config"]["name"]
        if key == "dtype" and _is_plain_policy(value)
        else with_policy_names(value)
        for key, value in config.items()
    }


def _is_plain_policy(value: Any) -> bool:
    """Return whether something is a policy of Keras that its name says all of."""
    if not isinstance(value, Mapping) or value.get("class_name") != "DTypePolicy":
        return False
    config = value.get("config")
    return (
        str(value.get("module")).split(".")[0] == "keras"
        and isinstance(config, Mapping)
        and set(config) == {"name"}
        and isinstance(config["name"], str)
    )
