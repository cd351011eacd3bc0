"""Programs are executed with calls that write down what they are called with."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from typing import Any

import pytest

from modelkb_store.codegen.keras.folding import Folded, fold


class Recorder:
    """A namespace that knows every name: an object that writes down each call."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def run(self, text: str) -> dict[str, Any]:
        namespace: dict[str, Any] = {}
        names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        known = {"range", "enumerate"}
        for name in {name for name in names if name.isupper()} - known:
            namespace[name] = Recorded(self, name)
        exec(compile(text, "<program>", "exec"), namespace)
        return namespace


class Recorded:
    """Something that can be called and looked into; what comes of it has a name of its own."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder, self._name = recorder, name

    def __call__(self, *args: Any, **kwargs: Any) -> Recorded:
        call = f"{self._name}(*{args!r}, **{kwargs!r})"
        self._recorder.calls.append(re.sub(r" at 0x[0-9a-f]+", "", call))
        return Recorded(self._recorder, f"#{len(self._recorder.calls)}")

    def __getattr__(self, name: str) -> Recorded:
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorded(self._recorder, f"{self._name}.{name}")

    def __getitem__(self, key: Any) -> Recorded:
        return Recorded(self._recorder, f"{self._name}[{key!r}]")

    def __add__(self, other: Any) -> Recorded:
        return Recorded(self._recorder, f"({self._name} + {other!r})")

    def __repr__(self) -> str:
        return self._name


def text_of(folded: Folded) -> str:
    """Return a folded program as text."""
    return ast.unparse(ast.Module([*folded.functions, *folded.statements], []))


@pytest.fixture(scope="session")
def fold_text() -> Callable[..., str]:
    """Return a function that folds a program, executes both, and returns the folded text."""
    return check_folding


def check_folding(text: str, **settings: Any) -> str:
    """Fold a program; both must make the same calls and leave the same values."""
    result = text_of(fold(ast.parse(text).body, taken=settings.pop("taken", ()), **settings))
    before, after = Recorder(), Recorder()
    values, new_values = before.run(text), after.run(result)
    assert before.calls == after.calls, result
    for name in _needed(text, settings.get("needed", ())):
        assert repr(values[name]) == repr(new_values[name]), result
    return result


def _needed(text: str, needed: Collection[str]) -> set[str]:
    """Return the variables that are needed after a program."""
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return (assigned - read) | set(needed)
