"""How a model was compiled: optimizer, loss, metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from modelkb_store import Experiment


def compile_settings(experiment: Experiment) -> dict[str, Any]:
    """Return the configuration as Keras serializes it; empty if it was not recorded."""
    recorded = experiment.model().get("compile_config")
    if not recorded:
        return {}
    found = json.loads(recorded)
    return found if isinstance(found, dict) else {}


def compile_table(experiment: Experiment) -> pd.DataFrame:
    """Return the settings that are not empty, those of the optimizer one by one.

    Returns:
        Columns ``Setting`` and ``Value``, both texts; numbers with four significant digits.
    """
    rows = list(_rows(compile_settings(experiment)))
    table: pd.DataFrame = pd.DataFrame(rows, columns=["Setting", "Value"], dtype="object")
    return table


def _rows(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    ordered = sorted(settings, key=lambda name: (name != "optimizer", name != "loss"))
    for name in ordered:
        value = settings[name]
        if name == "optimizer" and isinstance(value, dict) and "class_name" in value:
            yield "Optimizer", str(value["class_name"])
            for key, each in (value.get("config") or {}).items():
                if each is not None and key != "name":
                    yield f"Optimizer: {_title(key).lower()}", _words(each)
        elif value is not None:
            yield _title(name), _words(value)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _words(value: Any) -> str:
    """Return a serialized value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict) and "class_name" in value:
        return _call(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(each)}" for name, each in value.items())
    return "none" if value is None else str(value)


def _call(value: dict[str, Any]) -> str:
    """Return an object of Keras' as its class with those settings that say something."""
    config = value.get("config")
    if not isinstance(config, dict):
        # A function, by its name.
        return str(config or value["class_name"])
    shown = [
        f"{name}={_words(each)}"
        for name, each in config.items()
        if each is not None and name not in ("name", "dtype")
    ]
    return f"{value['class_name']}({', '.join(shown)})"
