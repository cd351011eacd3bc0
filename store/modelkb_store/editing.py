"""Editing what people say of an experiment: its tags and notes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from modelkb_store.errors import (
    ExperimentNotFoundError,
    InvalidSettingError,
    ModelKBError,
    StoreNotWritableError,
)
from modelkb_store.experiment_record import ExperimentRecord
from modelkb_store.files.files import Files
from modelkb_store.log.edit import EDITS, Edit
from modelkb_store.log.entry import Action, encode_entry
from modelkb_store.log.folding import fold
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.project_names import project_folder
from modelkb_store.table_file import records_of
from modelkb_store.tables import Tables

LONGEST_NOTES = 100_000
LONGEST_TAG = 200
MOST_TAGS = 200


def edit_experiment(
    files: Files,
    experiment_id: str,
    *,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    seen: ExperimentRecord | None = None,
) -> ExperimentRecord:
    """Give an experiment other tags or notes; it may be running, or be edited by others.

    Readers see it at once. What the run or others add meanwhile stays; of two who change the same
    notes at the same instant the later one counts.

    Args:
        files: The store.
        experiment_id: The whole id.
        tags: All that it is to have, each once; None leaves them as they are.
        notes: The whole text; None leaves it as it is.
        seen: The experiment as whoever edits has seen it: what others have changed since then
            stays. By default as it is now.

    Returns:
        The experiment as it is now.

    Raises:
        ExperimentNotFoundError: There is none with this id, or it is deleted.
        InvalidSettingError: The notes or a tag are too long, or there are too many tags.
        StoreNotWritableError: The store can only be read.
        StoreUnreachableError: It is in a bucket, and the network is away.

    Example:
        >>> edit_experiment(open_files("modelkb"), run.id, tags=["baseline"])
    """
    project, record = _found(files, experiment_id)
    new_tags = None if tags is None else checked_tags(tags)
    new_notes = None if notes is None else checked_notes(notes)
    before = seen or record
    edit = Edit(
        tags_before=None if new_tags is None else before.tags,
        tags=new_tags,
        notes_before=None if new_notes is None else before.notes,
        notes=new_notes,
    )
    if edit.tags == edit.tags_before and edit.notes == edit.notes_before:
        return record
    name = LogName.further(project_folder(project), experiment_id)
    _write(files, name, experiment_id, edit)
    # Else it is done by whoever opens the store next; readers understand the log as it is.
    with contextlib.suppress(OSError, ModelKBError):
        fold(files, name)
    return _found(files, experiment_id)[1]


def _found(files: Files, experiment_id: str) -> tuple[str, ExperimentRecord]:
    tables = Tables(files)
    rows = tables.read("experiments", where={"experiment_id": [experiment_id]}).to_pylist()
    if not rows:
        known = tables.read("experiments", columns=["experiment_id"])["experiment_id"]
        raise ExperimentNotFoundError(experiment_id, known.to_pylist())
    record: ExperimentRecord = records_of(rows[:1], ExperimentRecord)[0]
    return rows[0]["project"], record


def _write(files: Files, name: LogName, experiment_id: str, edit: Edit) -> None:
    """Write the log of an edit, which is over as soon as it is there."""
    process = ProcessIdentity.of_this_process().as_columns()
    begin = {
        "experiment_id": experiment_id,
        "segment": 0,
        "begun": time.time(),
        "process": process,
    }
    content = encode_entry(Action.BEGIN, "", begin)
    content += encode_entry(Action.PUT, EDITS, edit.as_columns(experiment_id))
    content += encode_entry(Action.END, "", {})
    try:
        files.write(name.segment(0), content)
    except ModelKBError:
        raise
    except OSError as error:
        raise StoreNotWritableError(files.uri, error) from error


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: each once, with single spaces.

    Raises:
        InvalidSettingError: They are too many, or one is too long.
    """
    plain = (" ".join(str(tag).split()) for tag in tags)
    checked = tuple(dict.fromkeys(tag for tag in plain if tag))
    if len(checked) > MOST_TAGS:
        raise InvalidSettingError("tags", f"{len(checked)} tags", f"no more than {MOST_TAGS}")
    for tag in checked:
        if len(tag) > LONGEST_TAG:
            received = f"{tag[:40]}.. ({len(tag)} characters)"
            raise InvalidSettingError("tags", received, f"tags of up to {LONGEST_TAG} characters")
    return checked


def checked_notes(notes: str) -> str:
    """Return notes as they are kept.

    Raises:
        InvalidSettingError: They are too long.
    """
    text = notes.replace("\r\n", "\n").rstrip()
    if len(text) > LONGEST_NOTES:
        received, expected = f"{len(text)} characters", f"no more than {LONGEST_NOTES} characters"
        raise InvalidSettingError("notes", received, expected)
    return text
