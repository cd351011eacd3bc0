"""Names and values as MLflow takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

ID_TAG = "modelkb.experiment_id"  # the experiment that a run was made from
LONGEST_PARAMETER = 6000
LONGEST_TAG = 8000
_LONGEST_NAME = 250
_NOT_IN_NAMES = re.compile(r"[^\w .:/-]")


def legal_names(names: Iterable[str]) -> dict[str, str]:
    """Return for each name one that MLflow takes, and no two the same.

    Args:
        names: Names of hyperparameters, metrics or tags.

    Example:
        >>> legal_names(["loss", "f1@0.5", "f1#0.5"])
        {'loss': 'loss', 'f1@0.5': 'f1_0.5', 'f1#0.5': 'f1_0.5_'}
    """
    legal: dict[str, str] = {}
    taken = set()
    for name in names:
        found = _legal(name)
        while found in taken:
            found = f"{found[: _LONGEST_NAME - 1]}_"
        taken.add(found)
        legal[name] = found
    return legal


def _legal(name: str) -> str:
    found = _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME]
    # MLflow takes names for paths, which must not lead elsewhere.
    parts = found.split("/")
    if any(part in ("", ".", "..") for part in parts):
        found = "_".join(part.replace("..", "__") for part in parts)
    # MLflow's own tags, such as who ran it; an empty name or a dot is none.
    return f"_{found}" if found in ("", ".") or found.startswith("mlflow.") else found


def parameter_text(value: Any) -> str:
    """Return a hyperparameter as MLflow's users see theirs: as ``str`` has it.

    Example:
        >>> parameter_text(0.001), parameter_text(True), parameter_text([1, 2])
        ('0.001', 'True', '[1, 2]')
    """
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
