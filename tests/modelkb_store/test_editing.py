"""Tags and notes are edited while the run, others and upkeep go on, and nothing is lost."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lost_processes import kill, leave_claims
from modelkb_store import Experiment, ExperimentNotFoundError, InvalidSettingError, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.editing import LONGEST_NOTES, LONGEST_TAG, MOST_TAGS, edit_experiment
from modelkb_store.errors import StoreNotWritableError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import open_files
from modelkb_store.log.folding import fold
from modelkb_store.log.log_contents import read_logs
from modelkb_store.tables import Tables
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.copying import copy_experiments
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import delete_experiment
from modelkb_store.writer import ExperimentWriter
from object_store import ObjectStore, object_credentials, object_server, object_store
from small_experiment import experiment_record, record_complete_experiment
from watched_files import Killed, WatchedFiles

__all__ = ["object_credentials", "object_server", "object_store"]

WriterFactory = Callable[..., ExperimentWriter]
pytestmark = pytest.mark.usefixtures("_no_power_failure")


def said(store: Path | str, run: str) -> tuple[list[str], str]:
    """Tags and notes as a reader sees them."""
    record = Store(store).experiment(run).record
    return sorted(record.tags), record.notes


def said_in_files(store: Path, run: str) -> tuple[list[str], str]:
    """Tags and notes as who reads only Parquet sees them."""
    rows = pd.read_parquet(store / "experiments").set_index("experiment_id")
    return sorted(rows.loc[run, "tags"]), rows.loc[run, "notes"]


def run_note(writer: ExperimentWriter, line: str, *tags: str) -> None:
    """What `run.note` and `run.tag` do in the process that records."""
    known = writer.experiment
    notes = "\n".join(filter(None, [known.notes, line]))
    writer.set(notes=notes, tags=(*known.tags, *tags))
    writer.save_experiment()


def test_a_finished_experiment_is_edited_in_its_file(
    store: Path, recorded_experiment: Experiment
) -> None:
    recorded_experiment.set_tags(["baseline", " second  tag ", "baseline", ""])
    recorded_experiment.set_notes("What I saw.\r\nMore.\n")
    expected = (["baseline", "second tag"], "What I saw.\nMore.")
    assert (list(recorded_experiment.record.tags), recorded_experiment.record.notes) == expected
    assert said(store, recorded_experiment.id) == expected
    assert said_in_files(store, recorded_experiment.id) == expected
    assert LocalFiles(store).list("log") == []
    assert recorded_experiment.record.status == "finished"


def test_all_else_of_the_row_stays(store: Path, recorded_experiment: Experiment) -> None:
    before = Store(store).experiment_table().drop_columns(["tags", "notes"])
    recorded_experiment.set_notes("text")
    assert Store(store).experiment_table().drop_columns(["tags", "notes"]).equals(before)


def test_tags_and_notes_are_taken_away(store: Path, recorded_experiment: Experiment) -> None:
    recorded_experiment.set_tags(["a"])
    recorded_experiment.set_notes("text")
    recorded_experiment.set_tags([])
    recorded_experiment.set_notes("")
    assert said(store, recorded_experiment.id) == ([], "")


def test_what_changes_nothing_writes_nothing(store: Path, recorded_experiment: Experiment) -> None:
    before = {
        info.path for folder in ("log", "experiments") for info in LocalFiles(store).list(folder)
    }
    recorded_experiment.set_tags(recorded_experiment.record.tags)
    after = {
        info.path for folder in ("log", "experiments") for info in LocalFiles(store).list(folder)
    }
    assert after == before


def test_a_run_and_its_reader_both_add(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory(tags=("start",), notes="begun")
    run = writer.experiment.experiment_id
    edit_experiment(LocalFiles(store), run, tags=["mine"], notes="begun\nseen")
    assert said(store, run) == (["mine"], "begun\nseen")

    run_note(writer, "from the run", "theirs")
    assert said(store, run) == (["mine", "theirs"], "begun\nseen\nfrom the run")

    edit_experiment(LocalFiles(store), run, notes="all anew")
    run_note(writer, "once more")
    writer.set(status="finished", epochs_completed=2)
    writer.save_experiment()
    assert said(store, run) == (["mine", "theirs"], "all anew\nonce more")
    writer.close()

    assert said(store, run) == (["mine", "theirs"], "all anew\nonce more")
    record = Store(store).experiment(run).record
    assert (record.status, record.epochs_completed) == ("finished", 2)
    assert LocalFiles(store).list("log") == []
    assert said_in_files(store, run) == (["mine", "theirs"], "all anew\nonce more")
    assert check(LocalFiles(store)) == []


def test_an_edit_does_not_make_a_run_look_alive_or_dead(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    edit_experiment(LocalFiles(store), run, notes="x")
    assert Store(store).experiment(run).record.status == "running"
    kill(writer)
    assert Store(store).experiment(run).record.status == "interrupted"
    assert said_in_files(store, run) == ([], "x")


def test_what_a_process_tells_after_the_end_keeps_the_edit(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory(tags=("start",), notes="begun")
    run = writer.experiment.experiment_id
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    edit_experiment(LocalFiles(store), run, tags=["mine"], notes="anew")
    writer.save_experiment()  # as after `evaluate`
    assert said(store, run) == (["mine"], "anew")
    run_note(writer, "late", "theirs")
    assert said(store, run) == (["mine", "theirs"], "anew\nlate")
    edit_experiment(LocalFiles(store), run, tags=["theirs"])
    writer._log.close()
    assert said(store, run) == (["theirs"], "anew\nlate")
    assert said_in_files(store, run) == (["theirs"], "anew\nlate")


def test_a_run_that_was_resumed_goes_on_with_the_edit(
    store: Path, writer_factory: WriterFactory
) -> None:
    first = writer_factory(tags=("start",))
    kill(first)
    run = first.experiment.experiment_id
    experiment = Store(store).experiment(run)
    experiment.set_tags(["before"])
    second = ExperimentWriter(store, "digits", experiment.record, resumes=True)
    edit_experiment(LocalFiles(store), run, tags=["before", "while"], notes="while")
    run_note(second, "told", "told")
    assert said(store, run) == (["before", "told", "while"], "while\ntold")
    second.set(status="finished")
    second.save_experiment()
    second.close()
    assert said(store, run) == (["before", "told", "while"], "while\ntold")
    assert said_in_files(store, run) == (["before", "told", "while"], "while\ntold")


def test_edits_outlive_full_segments(
    store: Path, writer_factory: WriterFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelkb_store.log.experiment_log._FULL_SEGMENT_BYTES", 0)
    first = writer_factory()
    kill(first)
    run = first.experiment.experiment_id
    second = ExperimentWriter(store, "digits", Store(store).experiment(run).record, resumes=True)
    run_note(second, "told", "told")
    first_segment, until = store / second._log.name.segment(0), time.monotonic() + 30
    while first_segment.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not first_segment.exists()
    assert said(store, run) == (["told"], "told")
    second.close()
    assert said(store, run) == (["told"], "told")


def test_what_others_have_changed_since_it_was_seen_stays(
    store: Path, recorded_experiment: Experiment
) -> None:
    other = Store(store).experiment(recorded_experiment.id)
    recorded_experiment.set_tags(["a"])
    recorded_experiment.set_notes("theirs")
    other.set_tags(["b"])
    other.set_notes("mine")
    assert said(store, other.id) == (["a", "b"], "mine\ntheirs")
    assert other.record.tags == ("a", "b")


def test_compaction_keeps_it(store: Path) -> None:
    runs = [
        record_complete_experiment(store, number=number).experiment.experiment_id
        for number in (1, 2, 3)
    ]
    files = LocalFiles(store)
    edit_experiment(files, runs[0], tags=["a"])
    compact(files)
    edit_experiment(files, runs[0], notes="b")
    edit_experiment(files, runs[2], tags=["c"])
    compact(files)
    assert [said(store, run) for run in runs] == [(["a"], "b"), ([], ""), (["c"], "")]
    assert check(files) == []


def test_a_crash_at_any_step_loses_nothing(store: Path, tmp_path: Path) -> None:
    for step in range(100):
        place = tmp_path / f"store-{step}"
        run = record_complete_experiment(place).experiment.experiment_id
        files = WatchedFiles(place, killed_after=step)
        try:
            edit_experiment(files, run, tags=["a"], notes="x")
        except Killed:
            leave_claims(LocalFiles(place))
            tags, notes = said(place, run)
            assert (tags, notes) in (([], ""), (["a"], "x"))
            assert said_in_files(place, run) == (tags, notes)
            assert check(LocalFiles(place)) == []
        else:
            assert said(place, run) == (["a"], "x")
            break
    else:
        pytest.fail("it never ended")
    assert step > 3


def test_a_deleted_experiment_cannot_be_edited(
    store: Path, recorded_experiment: Experiment
) -> None:
    delete_experiment(LocalFiles(store), recorded_experiment.id)
    with pytest.raises(ExperimentNotFoundError):
        recorded_experiment.set_notes("x")


def test_edits_go_with_a_copy(store: Path, tmp_path: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    edit_experiment(LocalFiles(store), run, tags=["a"], notes="x")
    copy_experiments(Tables(LocalFiles(store)), open_target(str(tmp_path / "other")))
    assert said(tmp_path / "other", run) == (["a"], "x")


@pytest.mark.parametrize(
    ("changes", "received"),
    [
        ({"notes": "x" * (LONGEST_NOTES + 1)}, "characters"),
        ({"tags": ["x" * (LONGEST_TAG + 1)]}, "characters"),
        ({"tags": [str(number) for number in range(MOST_TAGS + 1)]}, "tags"),
    ],
)
def test_what_is_too_large_is_refused(
    store: Path, recorded_experiment: Experiment, changes: dict[str, Any], received: str
) -> None:
    with pytest.raises(InvalidSettingError, match=received):
        edit_experiment(LocalFiles(store), recorded_experiment.id, **changes)
    assert said(store, recorded_experiment.id) == ([], "")


def test_a_store_that_can_only_be_read_says_so(
    store: Path, recorded_experiment: Experiment
) -> None:
    class ReadOnly(LocalFiles):
        def write(self, path: str, content: bytes | memoryview) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(StoreNotWritableError, match="Read-only file system"):
        edit_experiment(ReadOnly(store), recorded_experiment.id, notes="x")


def test_queries_and_sql_see_edits_of_a_run(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    edit_experiment(LocalFiles(store), run, tags=["mine"])
    opened = Store(store)
    assert list(opened.experiments(where="'mine' in tags")["experiment_id"]) == [run]
    assert opened.sql("select tags from experiments")["tags"][0].tolist() == ["mine"]


def test_an_edit_that_nobody_could_fold_is_read_and_folded_later(
    store: Path, recorded_experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelkb_store.editing.fold", lambda *_: False)
    files = LocalFiles(store)
    assert edit_experiment(files, recorded_experiment.id, notes="x").notes == "x"
    (log,) = read_logs(files)
    assert fold(files, log.name)
    assert said_in_files(store, recorded_experiment.id) == ([], "x")


@pytest.mark.slow
def test_in_a_bucket_a_run_and_its_reader_both_add(object_store: ObjectStore) -> None:
    location = object_store.url(object_store.bucket())
    writer = ExperimentWriter(location, "digits", experiment_record(1))
    run = writer.experiment.experiment_id
    writer.home.send()
    reader = open_files(location)
    edit_experiment(reader, run, tags=["mine"], notes="seen")
    assert said(location, run) == (["mine"], "seen")
    run_note(writer, "told", "theirs")
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    assert writer.home.wait(30)
    assert said(location, run) == (["mine", "theirs"], "seen\ntold")
    assert reader.list("log") == []
    edit_experiment(reader, run, tags=[], notes="after the end")
    assert said(location, run) == ([], "after the end")
    assert reader.list("log") == []
