"""Where the user's code stands while ``fit`` runs."""

from __future__ import annotations

import itertools
import os
import site
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import FrameType

from modelkb_callbacks.running_source import source_of_frame
from modelkb_callbacks.source_code import SourceCode

_MODULE = "<module>"
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_OUR_PACKAGES = ("modelkb_callbacks", "modelkb_store", "modelkb_viewer")
# The training of `modelkb demo` is recorded as if it were the user's own.
_DEMO = "modelkb_viewer.demo"
FIT_NAMES = frozenset(
    {"fit", "xfit", "fit_generator", "xfit_generator", "train_on_batch", "fit_on_batch"}
)
_LONGEST_VALUE = 200  # characters of a text that is worth writing into a slice
_MOST_FRAMES = 200

Scalar = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Position:
    """A stretch of source as the interpreter knows it; lines from 1, columns in bytes from 0."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class FrameLocation:
    """One of the user's frames.

    Attributes:
        source: The source that it runs.
        line: The line in it that it is at.
        function: Its function's name; ``<module>`` at the top level of a script or a cell.
        first_line: The line where the function begins, with its decorators.
        module: The module's ``__name__``, by which relative imports are found.
        position: The call that it is at; None where the interpreter doesn't know (3.10).
        values: Its variables of plain values: they tell in which pass of a loop it is, and
            what a parameter holds that no call in the source gives.
    """

    source: SourceCode
    line: int
    function: str = _MODULE
    first_line: int = 1
    module: str = "__main__"
    position: Position | None = None
    values: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def is_module(self) -> bool:
        """Whether it is the top level of a module."""
        return self.function == _MODULE


def frames_of_fit(frame: FrameType) -> list[FrameLocation]:
    """Walk a live stack from the user's call of ``fit`` out to their script or cell.

    Frames of libraries, of ModelKB itself and of the standard library are passed over.

    Args:
        frame: Any frame inside of ``fit``, or the user's own.

    Returns:
        The user's frames, the one that calls ``fit`` first; empty if no source is at hand.
    """
    found: list[FrameLocation] = []
    inner: FrameType | None = None  # a comprehension, which is no function of its own
    for each in user_frames(frame):
        if each.f_code.co_name in _COMPREHENSIONS:
            inner = inner or each
            continue
        location = _location(each, inner or each)
        inner = None
        if location is None:
            break
        found.append(location)
        if location.is_module:
            break
    return found


def is_user_file(path: str, module: str = "") -> bool:
    """Return whether code is a user's own: not installed, not Python's, not ours."""
    if module == _DEMO:
        return True
    if module.partition(".")[0] in _OUR_PACKAGES or path.startswith("<frozen"):
        return False
    if path.startswith("<"):
        return True
    # By absolute path, as the working folder may change.
    return not _is_in_library(os.path.abspath(path))


@lru_cache(maxsize=1024)
def _is_in_library(path: str) -> bool:
    real = os.path.realpath(path)
    if f"{os.sep}site-packages{os.sep}" in real or f"{os.sep}dist-packages{os.sep}" in real:
        return True
    return real.startswith(_library_folders())


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), os.path.dirname(os.__file__)]
    return tuple(os.path.realpath(folder) + os.sep for folder in folders)


def user_frames(frame: FrameType) -> Iterator[FrameType]:
    """Walk the user's frames, from the caller of ``fit`` if it runs, outwards."""
    each: FrameType | None = _caller_of_fit(frame) or frame
    for _ in range(_MOST_FRAMES):
        if each is None:
            return
        if is_user_file(each.f_code.co_filename, str(each.f_globals.get("__name__", ""))):
            yield each
        each = each.f_back


def _caller_of_fit(frame: FrameType) -> FrameType | None:
    """Return the frame that called the library's ``fit``: the user can have frames inside."""
    each: FrameType | None = frame
    inside = False
    for _ in range(_MOST_FRAMES):
        if each is None:
            return None
        module = str(each.f_globals.get("__name__", ""))
        of_user = is_user_file(each.f_code.co_filename, module)
        if inside and of_user:
            return each
        inside |= not of_user and each.f_code.co_name in FIT_NAMES
        each = each.f_back
    return None


def _location(frame: FrameType, at: FrameType) -> FrameLocation | None:
    """Describe a frame; ``at`` is the frame of the comprehension in it that is running."""
    try:
        here = source_of_frame(at)
    except Exception:  # noqa: BLE001 - whatever a strange stack or file does to the reader
        return None
    if here is None:
        return None
    source, line = here
    shift = line - at.f_lineno  # cells are counted on, one after another
    return FrameLocation(
        source=source,
        line=line,
        function=frame.f_code.co_name,
        first_line=frame.f_code.co_firstlineno + shift,
        module=str(frame.f_globals.get("__name__", "")),
        position=_position(at, shift),
        values=_plain_values({**frame.f_locals, **at.f_locals}),
    )


def _position(frame: FrameType, shift: int) -> Position | None:
    positions = getattr(frame.f_code, "co_positions", None)  # since Python 3.11
    if positions is None or frame.f_lasti < 0:
        return None
    # One for each code unit of two bytes.
    found = next(itertools.islice(positions(), frame.f_lasti // 2, None), None)
    if found is None or None in found:
        return None
    line, end_line, column, end_column = found
    return Position(line + shift, column, end_line + shift, end_column)


def _plain_values(variables: Mapping[str, object]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in variables.items():
        if name.startswith("__"):
            continue
        if value is None or type(value) in (int, float, bool):
            found[name] = value  # type: ignore[assignment]
        elif type(value) is str and len(value) <= _LONGEST_VALUE:
            found[name] = value
    return found
