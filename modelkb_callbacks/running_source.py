"""The source that a running frame was made of: a file as it was, or the cells run so far."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType, FrameType

import psutil

from modelkb_callbacks.source_code import (
    SourceCode,
    read_source,
    source_of_cells,
    source_of_text,
)

_MOST_SOURCES_KEPT = 64
# What IPython calls the code under `%%time` and behind `%time`.
_TIMED = ("<timed exec>", "<timed eval>", "<timed error>")

_sources: dict[str, SourceCode] = {}


def source_of_frame(frame: FrameType) -> tuple[SourceCode, int] | None:
    """Return the source that a frame runs, and its line in it.

    In a live notebook these are all cells run so far, in the order of their running.

    Returns:
        None if the source is not at hand: ``exec`` of a text, an interpreter's prompt, or a
        file that was edited since it was loaded.
    """
    name = frame.f_code.co_filename
    cells = _live_cells()
    if cells:
        found = _in_cells(cells, frame)
        if found is not None:
            return found
    if not os.path.isfile(name):
        text = "".join(linecache.getlines(name))
        return (source_of_text(text, "<source>", None), frame.f_lineno) if text.strip() else None
    source = _source_as_loaded(Path(name), frame.f_code)
    return None if source is None else (source, frame.f_lineno)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as it was typed, and as IPython made Python of it."""

    typed: str
    run: str


def _live_cells() -> list[_Cell]:
    """Return the cells run so far if this is an IPython session."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return []
    run = [str(cell) for cell in shell.user_ns.get("In", [])[1:]]
    history = getattr(shell, "history_manager", None)
    typed = [str(cell) for cell in getattr(history, "input_hist_raw", ())[1:]]
    return [
        _Cell(*pair) for pair in zip(typed if len(typed) == len(run) else run, run, strict=True)
    ]


def _in_cells(cells: list[_Cell], frame: FrameType) -> tuple[SourceCode, int] | None:
    name = frame.f_code.co_filename
    source = source_of_cells([cell.typed for cell in cells], "<notebook>", None)
    if name in _TIMED:
        # It is the cell that runs now. Behind `%time` only its line is known, by that word.
        typed = cells[-1].typed.split("\n")
        if typed[0].startswith("%%"):
            # Its first line is the first one below that has something.
            above = next((index for index, line in enumerate(typed[1:]) if line.strip()), 0)
            return source, source.cells[-1] + above + frame.f_lineno
        lines = [index for index, line in enumerate(typed) if line.lstrip().startswith("%time")]
        return (source, source.cells[-1] + lines[0]) if lines else None
    running = "".join(linecache.getlines(name)).strip()
    for index in range(len(cells) - 1, -1, -1):
        if running and cells[index].run.strip() == running:
            return source, source.cells[index] + frame.f_lineno - 1
    return None


def _source_as_loaded(path: Path, code: CodeType) -> SourceCode | None:
    """Return a file's source if it is what the code was compiled of.

    The file may have been edited since. What was read of it before that is remembered.
    """
    source = read_source(path)
    # Tools that rewrite code, as pytest does, compile something else of the same file.
    if _is_compiled_of(code, source.text) or path.stat().st_mtime <= _process_start():
        if len(_sources) >= _MOST_SOURCES_KEPT:
            _sources.clear()
        _sources[str(path)] = source
        return source
    earlier = _sources.get(str(path))
    if earlier is not None and _is_compiled_of(code, earlier.text):
        return earlier
    return None


@cache
def _process_start() -> float:
    return float(psutil.Process().create_time())


@lru_cache(maxsize=64)
def _is_compiled_of(code: CodeType, text: str) -> bool:
    try:
        module = compile(text, code.co_filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_essence(each) == _essence(code) for each in _with_inner_codes(module))


def _with_inner_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner_codes(constant)


def _essence(code: CodeType) -> tuple[object, ...]:
    constants = [
        _essence(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts
    ]
    return code.co_name, code.co_firstlineno, code.co_code, code.co_names, tuple(constants)
