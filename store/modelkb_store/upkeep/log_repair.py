"""Logs with damaged lines: what can be read of them is what is folded."""

from __future__ import annotations

import contextlib
import re

from modelkb_store.files.files import Files
from modelkb_store.log.entry import Action, decode_entry, encode_entry
from modelkb_store.log.log_contents import LogContents, read_logs
from modelkb_store.log.process_identity import ProcessIdentity, this_machine
from modelkb_store.log.segment import Segment
from modelkb_store.upkeep.set_aside import SetAside

_EXPERIMENT_ID = re.compile(r"\d{8}-\d{9}-[0-9a-f]{10}")


def mend_logs(files: Files, aside: SetAside) -> list[str]:
    """Leave out damaged lines of the logs of dead processes; copies are set aside.

    Returns:
        What was done.
    """
    done = []
    for log in settled_logs(files):
        for segment in log.segments:
            is_damaged = bool(segment.damaged_lines) or segment.begin is None
            if is_damaged and log.is_over and not log.is_alive:
                path = log.name.segment(segment.number)
                place = aside.copy(path)
                files.write(path, _sound_lines(files.read(path), log, segment))
                done.append(f"{path} is mended without its damaged lines (a copy is {place})")
    return done


def settled_logs(files: Files) -> list[LogContents]:
    """Read all logs, again and again as long as others fold some meanwhile."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return read_logs(files)


def set_logs_aside(files: Files, aside: SetAside, path: str) -> list[str]:
    """Move a segment aside that cannot be folded."""
    return [f"{path} could not be folded and is moved to {aside.move(path)}"]


def _sound_lines(content: bytes, log: LogContents, segment: Segment) -> bytes:
    lines = [line for line in content.split(b"\n") if decode_entry(line) is not None]
    sound = b"".join(line + b"\n" for line in lines)
    if segment.begin is not None:
        return sound
    # Without its first line nobody would know whose the others are.
    begin = {
        "experiment_id": _experiment_of(log),
        "segment": segment.number,
        "process": ProcessIdentity(this_machine(), 0, 0.0).as_columns(),
    }
    return encode_entry(Action.BEGIN, "", begin) + sound


def _experiment_of(log: LogContents) -> str | None:
    if log.experiment_id is not None:
        return log.experiment_id
    rows = log.put.get("experiments")
    if rows is not None and rows.num_rows:
        return str(rows["experiment_id"][0].as_py())
    match = _EXPERIMENT_ID.match(log.name.log_id)
    return None if match is None else match[0]
