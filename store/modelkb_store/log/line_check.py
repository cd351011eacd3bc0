"""Looking at lines of a log that somebody else has sent, before they are kept."""

from __future__ import annotations

import pyarrow as pa

from modelkb_store.errors import InvalidLogError
from modelkb_store.log.edit import EDITS, Edit
from modelkb_store.log.entry import Action, Columns, Entry, decode_entry, rows_of
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.schemas import SCHEMAS

# Far more than any that a run of ours writes.
LONGEST_LINE_BYTES = 32 << 20
_LAST_EPOCH = 1 << 31
_UNKNOWN = "unknown"
_FURTHER_LENGTH = 10


def check_lines(name: LogName, lines: bytes, *, are_first: bool) -> None:
    """Pass if all lines can be read, and are of the experiment that the log is called after.

    A line of spaces is one that was damaged where it comes from.

    Args:
        name: The log.
        lines: Whole lines.
        are_first: Whether they are the beginning of a segment.

    Raises:
        InvalidLogError: One of them cannot be kept; says which and why.
    """
    for number, line in enumerate(lines.split(b"\n")[:-1]):
        try:
            entry = _decoded(line)
            if number == 0 and are_first:
                _check_first(entry)
            if entry is not None:
                _check(name, entry)
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
            raise InvalidLogError(name.log_id, number, str(error)) from error


def _decoded(line: bytes) -> Entry | None:
    if len(line) > LONGEST_LINE_BYTES:
        raise ValueError(f"it has {len(line)} bytes, more than {LONGEST_LINE_BYTES}")
    entry = decode_entry(line)
    if entry is None and line.strip(b" "):
        raise ValueError("its checksum is not that of its text, or it is no entry")
    return entry


def _check_first(entry: Entry | None) -> None:
    if (
        entry is None
        or entry.action is not Action.BEGIN
        or entry.columns.get("is_sent") is not True
    ):
        raise ValueError("a segment begins with who sends it")


def _check(name: LogName, entry: Entry) -> None:
    if entry.action is Action.BEGIN:
        _check_owner(name, entry.columns.get("experiment_id"))
        _check_facts(entry.columns)
    elif entry.action is Action.CUT:
        if abs(int(entry.columns["epoch"])) > _LAST_EPOCH:
            raise ValueError("no epoch is as late as that")
    elif entry.action is not Action.END:
        _check_rows(name, entry)


def _check_facts(columns: Columns) -> None:
    """Pass if a first line has nothing that readers of logs cannot understand."""
    process, begun, seen = (columns.get(name) for name in ("process", "begun", "seen"))
    for told, kind in ((process, dict), (begun, (int, float)), (seen, dict)):
        if told is not None and not isinstance(told, kind):
            raise ValueError(f"its first line has {str(told)[:40]!r}")
    ProcessIdentity.from_columns(process or {})
    Edit.from_columns({"tags": [(seen or {}).get("tags")]})
    if not isinstance((seen or {}).get("notes") or "", str):
        raise ValueError("its notes are no text")


def _check_rows(name: LogName, entry: Entry) -> None:
    if entry.table == EDITS:
        Edit.from_columns(entry.columns)
        owners = entry.columns.get("experiment_id")
        for each in owners if isinstance(owners, list) else [owners]:
            _check_owner(name, each)
        return
    if entry.table not in SCHEMAS:
        raise ValueError(f"there is no table {entry.table!r} in this version of ModelKB")
    rows: pa.Table = rows_of(entry)
    if "experiment_id" in rows.column_names:
        for each in rows["experiment_id"].unique().to_pylist():
            _check_owner(name, each)


def owners_of(name: LogName) -> tuple[str, ...]:
    """Return the ids of which one is that of the experiment that a log is of."""
    first, dash, further = name.log_id.rpartition("-")
    is_further = bool(dash) and len(further) == _FURTHER_LENGTH
    return (name.log_id, first) if is_further else (name.log_id,)


def _check_owner(name: LogName, experiment_id: object) -> None:
    """Pass if a log is one of an experiment's, or of predictions of a model that nobody knows."""
    whole, *before = owners_of(name)
    owner = _UNKNOWN if experiment_id is None else experiment_id
    if owner not in before and (experiment_id is None or whole != experiment_id):
        raise ValueError(f"it is of the experiment {experiment_id!r}, the log of another one")
