"""How far a log came that another machine sends, when its rows went into Parquet files.

A log that is received is a copy, and its size says how much of it has arrived. When it is put into
Parquet files and deleted it leaves a note, the place, so that its sender goes on there, whatever it
sends again, and however long it was away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from modelkb_store.errors import CorruptFileError
from modelkb_store.experiment_record import ExperimentRecord
from modelkb_store.files.files import Files
from modelkb_store.log.entry import Action, columns_of, encode_entry
from modelkb_store.log.log_contents import LogContents
from modelkb_store.log.log_name import LogName
from modelkb_store.log.segment import Segment
from modelkb_store.table_file import records_of

_FOLDER = "received"
# By then nothing is on its way any more.
_KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Place:
    """What of a log is in Parquet files.

    Attributes:
        ends: How many bytes of each of its segments are, by number: all of them, or, if the log
            was folded before its end, those that had arrived.
        following: The further log that has what comes later; None if other segments do.
        beginning: The lines that each of its segments begins with.
    """

    ends: Mapping[int, int] = field(default_factory=dict)
    following: LogName | None = None
    beginning: bytes = b""


def read_place(files: Files, name: LogName) -> Place | None:
    """Return what of a received log is in Parquet files; None if nothing is.

    Raises:
        CorruptFileError: The note is damaged.
    """
    path = _path(name)
    try:
        known = json.loads(files.read(path))
        ends = {int(number): int(size) for number, size in known["ends"].items()}
        following = known["following"]
        further = None if following is None else LogName(name.project_folder, str(following))
        return Place(ends, further, str(known["beginning"]).encode())
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{files.uri}/{path}", error) from error


def keep_place(
    files: Files, log: LogContents, segments: Sequence[Segment], *, is_folded: bool
) -> None:
    """Note what of a received log is in Parquet files, before it is deleted.

    Args:
        files: The store.
        log: The log.
        segments: Those that are about to be deleted.
        is_folded: Whether that is all of the log, rather than its full segments.
    """
    if not log.is_sent:
        return
    known = read_place(files, log.name) or Place()
    if known.following is not None:
        return  # a crash came before the deletion; the sender may have gone on since
    following, beginning = None, b""
    if is_folded and not log.has_ended:
        further = LogName.further(log.name.project_folder, log.experiment_id or "unknown")
        following, beginning = further.log_id, _beginning(log)
    facts = {
        "ends": {**{each.number: each.size_bytes for each in segments}, **known.ends},
        "following": following,
        "beginning": beginning.decode(),
    }
    files.write(_path(log.name), json.dumps(facts).encode())


def forget_old_places(files: Files, project_folder: str) -> None:
    """Delete the notes of a project that nobody will ask for any more."""
    before = datetime.now(timezone.utc) - _KEPT_FOR
    for info in files.list(f"{_FOLDER}/{project_folder}"):
        if info.modified < before:
            files.delete(info.path)


def _beginning(log: LogContents) -> bytes:
    """Return the first lines of the further log that goes on with one.

    They say whose it is, and how the experiment stood: by then it is called interrupted. What
    others have made of its tags and notes since stays.
    """
    facts: dict[str, Any] = {
        "experiment_id": log.experiment_id,
        "begun": time.time(),
        "process": log.begin.get("process"),
        "is_sent": True,
    }
    rows = log.put.get("experiments")
    if rows is None or not rows.num_rows:
        return encode_entry(Action.BEGIN, "", facts)
    record = records_of(rows.to_pylist()[:1], ExperimentRecord)[0]
    facts["seen"] = {"tags": list(record.tags), "notes": record.notes}
    columns = columns_of("experiments", [record])
    return encode_entry(Action.BEGIN, "", facts) + encode_entry(Action.PUT, "experiments", columns)


def _path(name: LogName) -> str:
    return f"{_FOLDER}/{name.project_folder}/{name.log_id}.json"
