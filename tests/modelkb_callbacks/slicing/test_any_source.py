"""No source makes the slicer stumble: the standard library as an unkind sample of Python."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelkb_callbacks.slicing import FrameLocation, Position, continuation
from modelkb_callbacks.slicing.obstacles import obstacle
from modelkb_callbacks.slicing.slicer import Slicer
from modelkb_callbacks.source_code import read_source

_FILES = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


@pytest.mark.parametrize("path", _FILES[::8], ids=lambda path: path.stem)
def test_slice_of_any_call(path: Path) -> None:
    for frame in _frames(path, 3):
        found = Slicer([frame]).slice()  # unlike slice_data, it lets errors through
        if found is not None:
            ast.parse(found.text)


@pytest.mark.parametrize("path", _FILES[3::8], ids=lambda path: path.stem)
def test_any_calls_as_evaluations(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "_EVALUATE", _Everything())
    for frame in _frames(path, 3):
        alone = Slicer([frame])
        found = alone.slice()
        every = Slicer([frame], evaluations_left_out=())
        extended = every.slice()
        assert (found is None) == (extended is None)
        if extended is not None:
            ast.parse(extended.text)
            assert isinstance(obstacle(every, alone), str)


def _frames(path: Path, number: int) -> Iterator[FrameLocation]:
    source = read_source(path)
    calls = list(_calls(source.tree, None))
    for call, function in random.Random(path.name).sample(calls, min(number, len(calls))):
        ends = call.end_lineno or 0, call.end_col_offset or 0
        lines = [each.lineno for each in getattr(function, "decorator_list", ())]
        yield FrameLocation(
            source,
            call.lineno,
            function.name if function else "<module>",
            min([function.lineno, *lines]) if function else 1,
            path.stem,
            Position(call.lineno, call.col_offset, *ends),
        )


def _calls(
    node: ast.AST, function: _Function | None
) -> Iterator[tuple[ast.Call, _Function | None]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _calls(child, child)
        elif not isinstance(child, ast.Lambda):
            yield from _calls(child, function)
