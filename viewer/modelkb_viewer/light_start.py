"""Starting a command without pandas.

PyArrow imports pandas, where it is installed, as soon as it converts the first value: a third of
a second, for commands that only list and print.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NotNow:
    """What finds modules, and says that pandas is not there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def start_without_pandas() -> None:
    """Have PyArrow do without pandas in this process, until something asks for a data frame.

    Values of pandas' own types are then not known to it where it converts Python's objects; data
    frames can be made as always. In a process that has PyArrow already nothing happens.
    """
    if "pyarrow" in sys.modules or "pandas" in sys.modules:
        return
    import pyarrow as pa

    not_now = _NotNow()
    sys.meta_path.insert(0, not_now)
    try:
        pa.array([0])  # it looks for pandas once, and now
    finally:
        sys.meta_path.remove(not_now)
