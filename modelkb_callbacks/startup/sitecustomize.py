"""Imported by Python itself when it starts; see the package's docstring."""

from __future__ import annotations

import importlib
import json
import os
import sys


def _start() -> None:
    order = os.environ.pop("MODELKB_AUTOLOG", None)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    if order is None:  # found by accident: the folder is on the path for another reason
        return
    told = json.loads(order)
    if told["PYTHONPATH"] is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = told["PYTHONPATH"]
    from modelkb_callbacks import autolog

    autolog(**told["settings"])


def _hand_over() -> None:
    """Import the sitecustomize that Python would have found without us."""
    ours = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)  # Python looks for it there


try:
    _start()
finally:
    _hand_over()
