"""Sending what was recorded to a server, which keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelkb_store.errors import StoreBusyError
from modelkb_store.file_rows import project_of
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Columns, decode_entry
from modelkb_store.log.log_contents import LogContents
from modelkb_store.log.log_name import LogName
from modelkb_store.server.connection import Connection, Patience, path_of
from modelkb_store.server.server_files import BYTES, ServerFiles

# It is called again by itself, and the end of a process waits for it.
PATIENCE = Patience(connect_seconds=3.0, silence_seconds=15.0, attempts=1)
# Logs that are sent say so: nobody there takes a sender that is silent for dead.
FACTS: Columns = {"is_sent": True}
_PIECE_BYTES = 1 << 20


class ServerDestination:
    """See :class:`modelkb_store.transfer.destination.Destination`.

    Args:
        connection: The server, which is not waited for long.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._files = ServerFiles(connection)
        # How much of a segment the server has, as it has said last.
        self._there: dict[tuple[LogName, int], int] = {}

    def send_object(self, path: str, local: Path) -> None:
        """Send it; the server checks that its content is what its name says."""
        if not self._files.exists(path):
            self._files.send(path, local)

    def send_log(self, spool: LocalFiles, log: LogContents, *, has_ended: bool) -> bool:
        """Send what the server lacks, and have it mirrored or folded there."""
        try:
            sizes = {
                segment.number: self._send_segment(spool, log.name, segment.number)
                for segment in log.segments
            }
            if has_ended:
                ends = {"sizes": sizes, "modified": log.modified.timestamp()}
                self._post(log.name, "end", ends)
                return True
            for segment in log.segments[:-1]:
                self._post(log.name, str(segment.number), "seal", {"size": sizes[segment.number]})
                spool.delete(log.name.segment(segment.number))
        except BaseException:
            self._there = {key: n for key, n in self._there.items() if key[0] != log.name}
            raise
        return False

    def _send_segment(self, spool: LocalFiles, name: LogName, number: int) -> int:
        """Send what a server lacks of a segment, and return how long it is."""
        content = spool.read(name.segment(number))
        size = content.rfind(b"\n") + 1
        there = self._there.get((name, number))
        if there is None or there >= size:  # ask, or show that the process lives
            there = self._put(name, number, size, b"")
        while there < size:
            before = there
            for piece in _pieces(content[there:size]):
                there = self._put(name, number, there, piece)
            if there <= before:
                raise StoreBusyError(self._connection.uri, None)
        self._there[name, number] = there
        return size

    def _put(self, name: LogName, number: int, offset: int, piece: bytes) -> int:
        query = {"project": project_of(name.segment(number)), "offset": offset}
        path = path_of("logs", name.log_id, str(number))
        headers = {"Content-Type": BYTES}
        answer = self._connection.document("PUT", path, piece, query=query, headers=headers)
        return int(answer["received"])

    def _post(self, name: LogName, *rest: object) -> None:
        *parts, body = rest
        path = path_of("logs", name.log_id, *map(str, parts))
        query = {"project": project_of(name.segment(0))}
        self._connection.document("POST", path, body, query=query)


def _pieces(content: bytes) -> Iterator[bytes]:
    """Yield whole lines, about a mebibyte at a time; in place of a damaged one, spaces."""
    lines: list[bytes] = []
    size = 0
    for line in content.splitlines(keepends=True):
        is_whole = decode_entry(line.rstrip(b"\n")) is not None
        lines.append(line if is_whole else b" " * (len(line) - 1) + b"\n")
        size += len(line)
        if size > _PIECE_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines)
