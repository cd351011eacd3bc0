"""Public names of a package that import their module when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module-level ``__getattr__`` (PEP 562).

    It keeps a package light for those who need only a part of it: `modelkb scan` needs no
    Parquet, and a script that imports ModelKB first still chooses its Keras backend later.

    Args:
        package: The package's name.
        homes: Public name to the module in the package that defines it.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        vars(importlib.import_module(package))[name] = value
        return value

    return load
