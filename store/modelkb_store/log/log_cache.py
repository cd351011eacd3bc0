"""What logs say, kept for the next look: of a log that has grown only what is new is read."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass

from modelkb_store.files.files import FileInfo, Files
from modelkb_store.log.log_contents import LogContents, sorted_logs
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.segment import Segment, grown_segment, in_order, segment_of

# As much of the end of what was read is compared, to see that it was appended to, not replaced.
_COMPARED_BYTES = 256


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of a log as it was read last.

    Attributes:
        info: The file then.
        segment: What it says.
        end: The last bytes of its whole lines.
    """

    info: FileInfo
    segment: Segment
    end: bytes


class LogCache:
    """Keeps what was read of the logs of a store, up to a size. Threads may share it.

    A file is looked at again if its size or its time has changed. What it says is read from its
    beginning only if what was read before is not there any more.

    Args:
        most_bytes: How large the files may be together of which something is kept.
    """

    def __init__(self, most_bytes: int = 128 << 20) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._segments: OrderedDict[str, _Kept] = OrderedDict()
        self._logs: dict[LogName, tuple[list[Segment], LogContents]] = {}

    def read(self, files: Files) -> list[LogContents]:
        """Return all logs of a store; see :func:`modelkb_store.log.log_contents.read_logs`.

        Raises:
            FileNotFoundError: One was folded meanwhile; read again, from the beginning.
        """
        found: dict[LogName, list[Segment]] = defaultdict(list)
        paths = set()
        for info in files.list("log"):
            parsed = parse_segment(info.path)
            if parsed is not None:
                name, number = parsed
                found[name].append(self._segment(files, info, number))
                paths.add(info.path)
        logs = [self._log(name, found[name]) for name in sorted(found)]
        self._forget_others(paths)
        return sorted_logs(logs)

    def _log(self, name: LogName, segments: list[Segment]) -> LogContents:
        """Return a log, the same as before if nothing has come to it."""
        with self._lock:
            known = self._logs.get(name)
        if known is not None and _are_same(known[0], segments):
            return known[1]
        log = LogContents(name, in_order(segments))
        with self._lock:
            self._logs[name] = (segments, log)
        return log

    def _segment(self, files: Files, info: FileInfo, number: int) -> Segment:
        with self._lock:
            kept = self._segments.get(info.path)
            if kept is not None:
                self._segments.move_to_end(info.path)
        if kept is not None and kept.info == info:
            return kept.segment
        known = None if kept is None else _grown(files, info, kept)
        if known is None:
            content = files.read(info.path)
            known = _kept(info, segment_of(content, info, number), content)
        with self._lock:
            self._segments[info.path] = known
        return known.segment

    def _forget_others(self, paths: set[str]) -> None:
        """Forget files that are gone, and those that were used longest ago if there are many."""
        with self._lock:
            for path in self._segments.keys() - paths:
                del self._segments[path]
            size = sum(kept.segment.size_bytes for kept in self._segments.values())
            while size > self._most_bytes:
                _, kept = self._segments.popitem(last=False)
                size -= kept.segment.size_bytes
            names = {parsed[0] for path in self._segments if (parsed := parse_segment(path))}
            for name in self._logs.keys() - names:
                del self._logs[name]


def _kept(info: FileInfo, segment: Segment, content: bytes) -> _Kept:
    """Return what is kept of a file, by a text whose whole lines end as those of the file."""
    whole = content[: content.rfind(b"\n") + 1]
    return _Kept(info, segment, whole[-_COMPARED_BYTES:])


def _grown(files: Files, info: FileInfo, kept: _Kept) -> _Kept | None:
    """Return a file with what was appended to it; None if it is not the one that it was."""
    with files.open(info.path) as file:
        file.seek(kept.segment.size_bytes - len(kept.end))
        rest = file.read()
    if not kept.end or not rest.startswith(kept.end):
        return None
    return _kept(info, grown_segment(kept.segment, info, rest[len(kept.end) :]), rest)


def _are_same(one: list[Segment], other: list[Segment]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
