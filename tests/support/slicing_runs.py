"""Runs a script up to its call of ``fit`` and its data slice in a namespace of its own."""

from __future__ import annotations

import inspect
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from modelkb_callbacks.slicing import DataSlice, frames_of_fit, slice_data
from modelkb_callbacks.slicing.fit_arguments import DATA_ARGUMENTS


@dataclass
class FitReachedError(Exception):
    """Stops a script where its call of ``fit`` is seen."""

    data: dict[str, Any]
    slice: DataSlice | None


@dataclass
class Model:
    """Stands for a Keras model: it only looks at what it is given."""

    stop_at: int = 1
    calls: int = 0
    history: dict[str, Any] = field(default_factory=dict)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: Any = None,
        epochs: Any = 1,
        verbose: Any = 0,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        **other: Any,
    ) -> Any:
        self.calls += 1
        if self.calls < self.stop_at:
            return self
        given = {name: value for name, value in locals().items() if name in DATA_ARGUMENTS}
        data = {name: value for name, value in given.items() if value is not None}
        found = slice_data(frames_of_fit(inspect.currentframe().f_back))
        raise FitReachedError(data, found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self


# A module of no file, so that it counts as installed: `from watched import Model`.
watched = ModuleType("watched")
watched.Model = Model  # type: ignore[attr-defined]
sys.modules["watched"] = watched


def run_to_fit(
    script: str, folder: Path, *, stop_at: int = 1, argv: list[str] | None = None
) -> FitReachedError:
    """Run a script; ``model`` in it is one whose ``fit`` is watched."""
    path = folder / "train.py"
    path.write_text(textwrap.dedent(script))
    namespace = {"__name__": "__main__", "__file__": str(path), "model": Model(stop_at)}
    with _Arguments([str(path), *(argv or [])], folder):
        try:
            exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), namespace)
        except FitReachedError as seen:
            return seen
    raise AssertionError("the script did not call fit")


def run_slice(found: DataSlice, folder: Path, argv: list[str] | None = None) -> dict[str, Any]:
    """Run a slice by itself and return its data."""
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(folder / "train.py")}
    with _Arguments([str(folder / "train.py"), *(argv or [])], None):
        exec(compile(found.text, "<slice>", "exec", dont_inherit=True), namespace)
    return namespace["fit_data"]


class _Arguments:
    def __init__(self, argv: list[str], folder: Path | None) -> None:
        self._argv, self._folder = argv, folder

    def __enter__(self) -> None:
        self._before = sys.argv, list(sys.path), set(sys.modules)
        sys.argv = self._argv
        if self._folder is not None:
            sys.path.insert(0, str(self._folder))

    def __exit__(self, *_: object) -> None:
        argv, path, modules = self._before
        sys.argv = argv
        sys.path[:] = path
        if self._folder is not None:
            for name, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None) or ""
                if name not in modules and file.startswith(str(self._folder)):
                    del sys.modules[name]


def assert_same(one: Any, other: Any) -> None:
    """Assert that two values hold the same data."""
    if one is None:
        assert other is None
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "to_numpy"):
        assert_same(one.to_numpy(), other.to_numpy())
    elif hasattr(one, "__next__") or hasattr(one, "as_numpy_iterator"):
        assert_same(_some(one), _some(other))
    elif type(one).__eq__ is object.__eq__:
        assert_same(vars(one), vars(other))
    else:
        assert one == other


def _some(batches: Any) -> list[Any]:
    rows = batches.as_numpy_iterator() if hasattr(batches, "as_numpy_iterator") else batches
    return [batch for batch, _ in zip(rows, range(5), strict=False)]
