"""What killed processes leave behind: their logs and claims, as if others had made them."""

from __future__ import annotations

import json
import os
from typing import Any

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, decode_entry, encode_entry
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.process_identity import ProcessIdentity, this_machine
from modelkb_store.writer import ExperimentWriter

# The number is in use again, by a process that began later.
DEAD = ProcessIdentity(this_machine(), os.getpid(), 1.0)


def kill(writer: ExperimentWriter) -> None:
    """Leave the logs of a writer as if its process had been killed at this moment.

    The writer, which finds its files gone, is not to be used any more.
    """
    writer._log.leave()  # a thread that lives on would go on with the log
    for log in logs_of(writer.files, writer.experiment.experiment_id):
        leave_log(writer.files, log)


def logs_of(files: LocalFiles, experiment_id: str) -> list[LogName]:
    """Return the logs that belong to an experiment."""
    names = {parsed[0] for info in files.list("log") if (parsed := parse_segment(info.path))}
    return sorted(name for name in names if name.log_id.startswith(experiment_id))


def leave_log(files: LocalFiles, name: LogName, owner: ProcessIdentity = DEAD) -> None:
    """Make a process the one that has begun a log; its first writer loses sight of it."""
    for info in files.list("log"):
        parsed = parse_segment(info.path)
        if parsed is not None and parsed[0] == name:
            first, *rest = files.read(info.path).split(b"\n")
            entry = decode_entry(first)
            if entry is not None and entry.action is Action.BEGIN:
                columns: dict[str, Any] = {**entry.columns, "process": owner.as_columns()}
                first = encode_entry(Action.BEGIN, "", columns).rstrip(b"\n")
            files.write(info.path, b"\n".join([first, *rest]))


def leave_claims(files: LocalFiles, owner: ProcessIdentity = DEAD) -> None:
    """Make a process the one that holds all claims to logs."""
    for info in files.list("log"):
        if info.path.endswith(".claim"):
            files.write(info.path, json.dumps(owner.as_columns()).encode())
