"""Keeping the logs of runs on other machines, which come in pieces, each as often as it likes.

What arrives is appended to a copy of the log, so that it is read like any other. Who sends asks how
much of a segment is here, and sends the bytes from there on. All that is answered for is on disk.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import zlib
from collections.abc import Iterator, Mapping

from modelkb_store.commits.compaction import compact_as_runs_end
from modelkb_store.errors import InvalidLogError, StoreBusyError
from modelkb_store.files.files import Files
from modelkb_store.log.claim import claimed
from modelkb_store.log.entry import decode_entry
from modelkb_store.log.folding import fold, mirror, seal
from modelkb_store.log.line_check import check_lines
from modelkb_store.log.log_contents import read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.place import forget_old_places, read_place

_SHOWN_AGAIN_SECONDS = 20.0  # FORMAT.md promises 30
_shown: dict[LogName, float] = {}
# Of this process: requests for one log wait for each other; those of others are told to come again.
_LOCKS = tuple(threading.Lock() for _ in range(64))


def receive(files: Files, name: LogName, number: int, offset: int, piece: bytes) -> int:
    """Append what a piece of a segment has that is not here yet.

    A part of a line at the end of the piece is left for the next one. An empty piece is a sign
    of life.

    Args:
        files: The store.
        name: The log, as it is called where it comes from.
        number: The segment.
        offset: Where in the segment the piece begins.
        piece: Its bytes.

    Returns:
        How many bytes of the segment are here: the next piece is to begin there.

    Raises:
        InvalidLogError: A line cannot be read, or it is another one than is here.
        StoreBusyError: Another process is at work on the log.
        OSError: The disk does not take it.
    """
    with _alone(name):
        return _receive(files, name, number, offset, piece)


def show(files: Files, name: LogName) -> None:
    """Write what a log says so far into Parquet files, for those who read only these.

    Not each time that something has come: that would be most of what a server does.
    """
    with _alone(name):
        if time.monotonic() - _shown.get(name, -_SHOWN_AGAIN_SECONDS) >= _SHOWN_AGAIN_SECONDS:
            mirror(files, _last(files, name))
            _shown[name] = time.monotonic()


def seal_received(files: Files, name: LogName, number: int, size: int) -> None:
    """Leave a full segment to Parquet files; see :func:`modelkb_store.log.folding.seal`.

    Args:
        files: The store.
        name: The log.
        number: The segment; a later one is here, too.
        size: How many bytes it has.

    Raises:
        StoreBusyError: Some of it is missing, or another process is at work.
    """
    with _alone(name):
        _check_that_all_is_here(files, name, {number: size})
        seal(files, _last(files, name), number)


def end_received(
    files: Files, name: LogName, sizes: Mapping[int, int], modified: float | None = None
) -> None:
    """Fold a log to which nothing will be added.

    Args:
        files: The store.
        name: The log.
        sizes: How many bytes the segments have where it comes from.
        modified: When it was written to last there, in seconds since 1970.

    Raises:
        StoreBusyError: Some of it is missing, or another process is at work.
    """
    with _alone(name):
        _check_that_all_is_here(files, name, sizes)
        last = _last(files, name)
        if modified is not None:
            _set_modified(files, last, modified)
        if not fold(files, last):
            raise StoreBusyError(files.uri, None)
        _shown.pop(name, None)


@contextlib.contextmanager
def _alone(name: LogName) -> Iterator[None]:
    with _LOCKS[zlib.crc32(f"{name.project_folder}/{name.log_id}".encode()) % len(_LOCKS)]:
        yield


def _receive(files: Files, name: LogName, number: int, offset: int, piece: bytes) -> int:
    with claimed(files, name) as is_mine:
        if not is_mine:
            raise StoreBusyError(files.uri, None)
        place = read_place(files, name)
        end = 0 if place is None else place.ends.get(number, 0)
        if place is None or (place.following is None and number not in place.ends):
            return _append(files, name, number, offset, piece)
    if place.following is None:
        return end  # it was full
    # It was folded while its sender was away; the rest is in another log.
    prefix = len(place.beginning)
    rest, at = piece[max(0, end - offset) :], prefix + max(0, offset - end)
    if at == prefix and b"\n" in rest:
        rest, at = place.beginning + rest, 0
    return end + max(0, _receive(files, place.following, number, at, rest) - prefix)


def _append(files: Files, name: LogName, number: int, offset: int, piece: bytes) -> int:
    path = name.segment(number)
    try:
        content = files.read(path)
    except FileNotFoundError:
        content = b""
    kept = _sound_bytes(content)
    if kept and not _is_sent(content):
        raise InvalidLogError(name.log_id, 0, "this log is written on this machine")
    known = piece[: max(0, kept - offset)]
    if content[offset : offset + len(known)] != known:
        raise InvalidLogError(name.log_id, 0, "another text than this one is here already")
    end = piece.rfind(b"\n") + 1
    new = piece[kept - offset : end] if offset <= kept else b""
    if not new:
        _show_life(files, path, content)
        return kept
    check_lines(name, new, are_first=kept == 0)
    local = files.local_path(path)
    if local is None or kept == 0:
        files.write(path, content[:kept] + new)
        return kept + len(new)
    with local.open("r+b") as file:
        file.truncate(kept)  # what a crash has left of a line
        file.seek(kept)
        file.write(new)
        file.flush()
        os.fsync(file.fileno())
    return kept + len(new)


def _sound_bytes(content: bytes) -> int:
    """Return how long the lines at the beginning are that can be read."""
    size = 0
    for line in content.split(b"\n")[:-1]:
        if line.strip(b" ") and decode_entry(line) is None:
            break
        size += len(line) + 1
    return size


def _is_sent(content: bytes) -> bool:
    first = decode_entry(content.partition(b"\n")[0])
    return first is not None and bool(first.columns.get("is_sent"))


def _show_life(files: Files, path: str, content: bytes) -> None:
    local = files.local_path(path)
    with contextlib.suppress(FileNotFoundError):
        if local is not None:
            os.utime(local)
        elif content:
            files.write(path, content)


def _check_that_all_is_here(files: Files, name: LogName, sizes: Mapping[int, int]) -> None:
    for number, size in sizes.items():
        if _receive(files, name, number, size, b"") < size:
            raise StoreBusyError(files.uri, None)


def _last(files: Files, name: LogName) -> LogName:
    """Return the log that the rest of one is in."""
    while (place := read_place(files, name)) is not None and place.following is not None:
        name = place.following
    return name


def _set_modified(files: Files, name: LogName, modified: float) -> None:
    """Date a log as it is where it comes from: when a killed run ended is told by it."""
    for log in read_logs(files, name.log_id):
        for segment in log.segments if log.name == name else ():
            local = files.local_path(name.segment(segment.number))
            when = min(modified, segment.modified.timestamp())
            if local is not None:
                os.utime(local, (when, when))


def tidy_received(files: Files, project_folder: str) -> None:
    """Merge small files of a project where many have come together, as its runs end."""
    compact_as_runs_end(files, project_folder)
    forget_old_places(files, project_folder)
