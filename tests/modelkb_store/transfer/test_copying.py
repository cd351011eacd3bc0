"""Experiments go from one store to another, whole, once, and again if they have changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lost_processes import kill
from modelkb_store import CorruptFileError, NotAStoreError, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.commits.rows import replace_rows
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.records import HyperparameterRecord, PredictionRecord
from modelkb_store.tables import Tables
from modelkb_store.transfer.copy_target import FilesTarget
from modelkb_store.transfer.copying import Copied, copy_experiments
from modelkb_store.transfer.homes import open_home
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import delete_experiment
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    KERNEL,
    STARTED,
    experiment_record,
    metric_record,
    record_complete_experiment,
)
from store_rows import rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

pytestmark = pytest.mark.usefixtures("_no_power_failure")


@pytest.fixture
def source(store: Path) -> LocalFiles:
    """A store with three complete runs in two projects."""
    for number, project in ((1, "digits"), (2, "cats & dogs"), (3, "digits")):
        record_complete_experiment(store, project, number)
    return LocalFiles(store)


@pytest.fixture
def target(tmp_path: Path) -> LocalFiles:
    """A place that is not made yet."""
    return LocalFiles(tmp_path / "target")


def copy(source: Files, target: Files, *wanted: Any, **options: Any) -> Copied:
    return copy_experiments(Tables(source), FilesTarget(target), *wanted, **options)


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(experiment_record(number).experiment_id for number in numbers)


def objects_in(files: LocalFiles) -> dict[str, bytes]:
    return {info.path: files.read(info.path) for info in files.list("objects")}


def test_what_was_deleted_comes_back(source: LocalFiles, target: LocalFiles) -> None:
    copy(source, target)
    (first, *_) = ids(1)
    delete_experiment(target, first)

    assert copy(source, target).new == (first,)

    assert sorted(Store(target.root).experiments()["experiment_id"]) == sorted(ids(1, 2, 3))
    assert rows_of_readers(target) == rows_of_readers(source)
    assert check(target) == []


@pytest.mark.parametrize("merges", [(), ("source",), ("target",), ("source", "target")])
def test_everything_goes_over(
    source: LocalFiles, target: LocalFiles, merges: tuple[str, ...]
) -> None:
    if "source" in merges:
        compact(source)
    told: list[tuple[int, int]] = []

    copied = copy(source, target, progress=lambda d, n: told.append((d, n)))

    assert copied.new == ids(1, 2, 3)
    assert (copied.changed, copied.unchanged, copied.running) == ((), 0, ())
    assert copied.object_bytes == sum(map(len, objects_in(source).values()))
    if "target" in merges:
        compact(target)
    assert rows_of_readers(target) == rows_of_readers(source) == rows_of_plain_arrow(target.root)
    assert objects_in(target) == objects_in(source)
    assert told[-1] == (3, 3)
    run = Store(target.root).experiment(ids(2)[0])
    run.save_weights(target.root / "x.weights.h5")
    import h5py

    with h5py.File(target.root / "x.weights.h5") as file:
        assert np.array_equal(file["layers/dense/vars/0"][:], KERNEL)


def test_the_second_time_nothing_is_done(source: LocalFiles, target: LocalFiles) -> None:
    copy(source, target)
    watched = WatchedFiles(target.root)

    assert copy(source, watched) == Copied((), (), 3, (), 0)
    assert watched.changes == 0
    assert copy(target, source) == Copied((), (), 3, (), 0), "nor the way back"


def test_only_some(source: LocalFiles, target: LocalFiles) -> None:
    assert copy(source, target, ids(3)).new == ids(3)
    assert copy(source, target, [], None).new == ()
    assert copy(source, target, None, "digits").new == ids(1)
    assert sorted(Store(target.root).experiments()["experiment_id"]) == list(ids(1, 3))
    assert copy(source, target, ["unknown"]) == Copied((), (), 0, (), 0)
    assert copy(source, target).new == ids(2)
    assert rows_of_readers(target) == rows_of_readers(source)


def test_what_has_changed_is_brought_up_to_date(source: LocalFiles, target: LocalFiles) -> None:
    copy(source, target)
    compact(target)
    (run, other) = ids(1, 3)
    resumed = ExperimentWriter(
        source.root,
        "digits",
        experiment_record(1, status="finished", notes="went on"),
        resumes=True,
    )
    resumed.drop_epochs_from(2)
    resumed.append_metrics([metric_record(run, epoch, 50.0 + epoch) for epoch in (2, 3, 4)])
    resumed.write_hyperparameters([HyperparameterRecord(run, "epochs", "5", 5.0, "fit")])
    resumed.close()
    late = ExperimentWriter(source.root, "digits", experiment_record(3), resumes=True)
    late._add("metrics", [metric_record(other, 2, 0.5, split="test")])
    late.set(status="finished")
    late.save_experiment()
    late.close()

    copied = copy(source, target)

    assert (copied.new, copied.changed, copied.unchanged) == ((), ids(1, 3), 1)
    assert rows_of_readers(target) == rows_of_readers(source) == rows_of_plain_arrow(target.root)


def predict(files: LocalFiles, run: str, *numbers: int) -> None:
    """Record predictions, as the viewer and a server do with their copy of an experiment."""
    writer = PredictionWriter(open_home(files.root), "digits", run)
    for number in numbers:
        moment = STARTED + timedelta(days=number)
        text, shapes = f"p{number}", "[[1,4]]"
        writer.add(PredictionRecord(text, run, None, moment, "viewer", shapes, 1, 1, 0.5, None))
    assert writer._log is not None
    writer._log.close()


def predictions_in(files: LocalFiles, run: str) -> list[str]:
    found = Store(files.root).experiment(run).predictions()["prediction_id"]
    return [each for each in found if each in {f"p{number}" for number in range(100)}]


def test_what_the_target_got_since_stays(source: LocalFiles, target: LocalFiles) -> None:
    copy(source, target)
    (run, other) = ids(1, 3)
    predict(target, run, 10, 11)
    copied = copy(source, target)
    assert (copied.changed, copied.unchanged) == ((), 3)
    assert predictions_in(target, run) == ["p10", "p11"]

    Store(source.root).experiment(run).set_tags(["best"])
    assert copy(source, target).changed == (run,)
    assert predictions_in(target, run) == ["p10", "p11"]
    assert Store(target.root).experiment(run).record.tags == ("best",)

    # Both have got some: what is later stays, as it cannot have been in the source.
    predict(source, run, 5, 6)
    predict(source, other, 7)
    assert copy(source, target).changed == (run, other)
    assert predictions_in(target, run) == ["p5", "p6", "p10", "p11"]
    assert predictions_in(target, other) == ["p7"]
    assert copy(source, target).unchanged == 3
    assert check(target) == []


def test_only_notes_have_changed(source: LocalFiles, target: LocalFiles) -> None:
    copy(source, target)
    from modelkb_store.table_file import rows_of_records

    record = Store(source.root).experiment(ids(2)[0]).record
    changed = type(record)(**{**_fields(record), "tags": ("good",)})
    rows = rows_of_records("experiments", [changed])
    replace_rows(source, "experiments", "cats & dogs", record.experiment_id, rows)

    assert copy(source, target).changed == ids(2)
    assert Store(target.root).experiment(ids(2)[0]).record.tags == ("good",)


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in type(record).__slots__}


def test_one_that_runs_is_left_for_another_time(source: LocalFiles, target: LocalFiles) -> None:
    writer = ExperimentWriter(source.root, "digits", experiment_record(7))
    writer.append_metrics([metric_record(ids(7)[0], 0, 0.5)])

    assert copy(source, target).running == ids(7)
    assert len(Store(target.root).experiments()) == 3
    kill(writer)
    assert copy(source, target).new == ids(7), "one that died does not run"
    Store(source.root)
    copy(source, target)
    assert rows_of_readers(target) == rows_of_readers(source)


def test_a_copy_that_was_broken_off_is_completed(
    source: LocalFiles, target: LocalFiles, tmp_path: Path
) -> None:
    """At every step: what is there is readable, and the next copy makes it whole."""
    whole = WatchedFiles(tmp_path / "whole")
    copy(source, whole)
    expected = rows_of_readers(source)
    total = whole.changes

    for step in range(1, total, total // 10):
        root = tmp_path / f"step-{step}"
        with pytest.raises(Killed):
            copy(source, WatchedFiles(root, killed_after=step))
        partly = rows_of_readers(LocalFiles(root))
        assert set(partly["experiments"]) <= set(expected["experiments"]), step
        copy(source, LocalFiles(root))
        assert rows_of_readers(LocalFiles(root)) == expected, step
        _let_time_pass(root)
        Store(root)
        assert rows_of_plain_arrow(root) == expected, step
        assert objects_in(LocalFiles(root)) == objects_in(source)
        shutil.rmtree(root)


def _let_time_pass(root: Path) -> None:
    import os

    for path in root.rglob("*.parquet"):
        os.utime(path, (0, 0))


def test_a_change_that_was_broken_off_is_completed(
    source: LocalFiles, target: LocalFiles, tmp_path: Path
) -> None:
    copy(source, target)
    writer = ExperimentWriter(
        source.root, "digits", experiment_record(1, notes="more", status="finished"), resumes=True
    )
    writer.append_metrics([metric_record(ids(1)[0], 9, 0.5)])
    writer.close()
    expected = rows_of_readers(source)

    for step in range(0, 90, 5):
        root = tmp_path / f"step-{step}"
        shutil.copytree(target.root, root)
        try:
            copy(source, WatchedFiles(root, killed_after=step))
        except Killed:
            copy(source, LocalFiles(root))
            assert rows_of_readers(LocalFiles(root)) == expected, step
            shutil.rmtree(root)
        else:
            assert step > 5
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("kind", ["packs", "architectures", "files"])
def test_what_is_damaged_does_not_go_over(
    source: LocalFiles, target: LocalFiles, kind: str
) -> None:
    damaged = source.list(f"objects/{kind}")[0]
    content = bytearray(source.read(damaged.path))
    position = len(content) // 2 if kind == "files" else content.rindex(b"\x00" * 4) // 2
    if kind == "packs":
        position = content.index(KERNEL.tobytes()[4:8])
    content[position] ^= 0xFF
    if kind == "architectures":
        content = content[: len(content) // 2]
    source.write(damaged.path, content)

    with pytest.raises(CorruptFileError):
        copy(source, target)
    assert not target.exists(damaged.path)
    assert rows_of_readers(target)["experiments"] == [] or kind == "files"


def test_what_is_no_store(source: LocalFiles, target: LocalFiles) -> None:
    target.root.mkdir()
    (target.root / "thesis.txt").touch()
    with pytest.raises(NotAStoreError):
        copy(source, target)


def test_what_the_target_has_already_stays(source: LocalFiles, target: LocalFiles) -> None:
    record_complete_experiment(target.root, "digits", 9)
    before = rows_of_readers(target)
    copy(source, target)

    after = rows_of_readers(target)
    for table in before:
        assert set(before[table]) <= set(after[table]), table
    assert len(after["environments"]) == 2, "what both have is there once in each project"
    assert len(after["experiments"]) == 4


def test_into_a_bucket_and_back(
    source: LocalFiles, target: LocalFiles, bucket_factory: Callable[[], str]
) -> None:
    from modelkb_store.files.open_files import open_files

    bucket = open_files(bucket_factory())
    assert copy(source, bucket).new == ids(1, 2, 3)
    assert rows_of_readers(bucket) == rows_of_readers(source)
    assert copy(source, bucket).unchanged == 3
    copy(bucket, target)
    assert rows_of_readers(target) == rows_of_readers(source)
    assert objects_in(target) == objects_in(source)
