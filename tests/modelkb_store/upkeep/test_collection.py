from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from modelkb_store import Store
from modelkb_store.architecture_file import write_architecture
from modelkb_store.commits.compaction import compact
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import architecture_file
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.upkeep import collection
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.collection import collect, collectable
from modelkb_store.upkeep.deletion import delete_experiment, deleted_experiments, undelete
from modelkb_store.writer import ExperimentWriter
from small_experiment import ARCHITECTURE, DATASET, LAYER, MODEL, experiment_record
from tidying import wait_for_tidying

from .conftest import CutOffError, FailingFiles
from .test_repairing import content_of

IDS = [f"20260102-030405678-000000000{n}" for n in (1, 2, 3)]
OTHER_ARCHITECTURE = replace(ARCHITECTURE, architecture_id="a9" * 16)
OTHER_MODEL = replace(
    MODEL,
    model_id="c9" * 16,
    architecture_id="a9" * 16,
    architecture_path=architecture_file("a9" * 16),
    dataset_id="d9" * 16,
)


def save(*arrays: np.ndarray) -> Callable[[Path], None]:
    """Return what writes weights."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for number, array in enumerate(arrays):
                file[f"layers/dense/vars/{number}"] = array

    return write


def record(files: LocalFiles, number: int, *arrays: np.ndarray) -> str:
    """Record an experiment with a model and data of its own, and these weights."""
    writer = ExperimentWriter(files.root, "digits", experiment_record(number))
    writer.add_dataset(replace(DATASET, dataset_id="d9" * 16))
    writer.add_architecture(OTHER_ARCHITECTURE, [replace(LAYER, architecture_id="a9" * 16)])
    writer.add_model(OTHER_MODEL)
    writer.add_checkpoint("end", save(*arrays))
    writer.set(
        status="finished",
        model_id=OTHER_MODEL.model_id,
        architecture_id=OTHER_MODEL.architecture_id,
        dataset_id=OTHER_MODEL.dataset_id,
    )
    writer.save_experiment()
    writer.close()
    wait_for_tidying()
    return writer.experiment.experiment_id


def objects(files: LocalFiles) -> list[str]:
    return [info.path for info in files.list("objects")]


def grow_old(files: LocalFiles) -> None:
    for info in files.list(""):
        os.utime(files.root / info.path, (1_700_000_000, 1_700_000_000))


def noise(seed: int, size: int = 1000) -> np.ndarray:
    return np.random.default_rng(seed).random(size).astype("float32")


def test_nothing_to_collect(whole_store: LocalFiles) -> None:
    grow_old(whole_store)
    before = {i: whole_store.read(i.path) for i in whole_store.list("")}

    collected = collect(whole_store, grace_seconds=0)

    assert (collected.experiments, collected.rows, collected.objects) == ((), 0, 0)
    assert {i: whole_store.read(i.path) for i in whole_store.list("")} == before


@pytest.mark.parametrize("compacted", [False, True])
def test_all_of_a_deleted_experiment_goes(whole_store: LocalFiles, compacted: bool) -> None:
    before, there = content_of(whole_store), objects(whole_store)
    run = record(whole_store, 9, noise(1))
    if compacted:
        compact(whole_store)
    delete_experiment(whole_store, run)
    grow_old(whole_store)

    collected = collect(whole_store)

    assert collected.experiments == (run,)
    assert (collected.rows, collected.objects) == (4, 2)
    assert collected.object_bytes > 2000
    assert content_of(whole_store) == before
    assert objects(whole_store) == there
    assert deleted_experiments(whole_store) == []
    assert check(whole_store) == []


def test_a_store_of_which_all_is_deleted(whole_store: LocalFiles) -> None:
    for run in IDS:
        delete_experiment(whole_store, run)
    grow_old(whole_store)

    collect(whole_store)

    assert objects(whole_store) == []
    rows = {t: Tables(whole_store).read(t).num_rows for t in set(SCHEMAS) - {"projects"}}
    assert set(rows.values()) == {0}
    assert check(whole_store) == []


def test_what_others_share_stays(whole_store: LocalFiles) -> None:
    there = objects(whole_store)
    delete_experiment(whole_store, IDS[0])
    grow_old(whole_store)

    collect(whole_store)

    assert objects(whole_store) == there
    assert check(whole_store) == []
    run = Store(whole_store.root).experiment(IDS[1])
    assert run.model()["model_id"] == MODEL.model_id


def test_what_is_young_stays(whole_store: LocalFiles) -> None:
    run = record(whole_store, 9, noise(1))
    delete_experiment(whole_store, run)
    there = objects(whole_store)

    collected = collect(whole_store, grace_seconds=3600)

    assert (collected.experiments, collected.rows, collected.objects) == ((run,), 0, 0)
    assert objects(whole_store) == there
    assert check(whole_store) == []
    grow_old(whole_store)
    assert collect(whole_store, grace_seconds=3600).objects == 2


def test_a_look_changes_nothing(whole_store: LocalFiles) -> None:
    run = record(whole_store, 9, noise(1))
    delete_experiment(whole_store, run)
    grow_old(whole_store)
    before = {i: whole_store.read(i.path) for i in whole_store.list("")}

    would = collectable(whole_store)

    assert {i: whole_store.read(i.path) for i in whole_store.list("")} == before
    done = collect(whole_store)
    assert (would.experiments, would.rows, would.objects, would.object_bytes) == (
        done.experiments,
        done.rows,
        done.objects,
        done.object_bytes,
    )


def test_what_a_running_experiment_uses_stays(whole_store: LocalFiles) -> None:
    old = record(whole_store, 8, noise(1))
    delete_experiment(whole_store, old)
    grow_old(whole_store)
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))
    writer.add_architecture(OTHER_ARCHITECTURE, [replace(LAYER, architecture_id="a9" * 16)])
    writer.add_model(OTHER_MODEL)
    writer.add_checkpoint("epoch", save(noise(1)), epoch=0)

    collect(whole_store)

    writer.add_dataset(replace(DATASET, dataset_id="d9" * 16))
    writer.set(model_id=OTHER_MODEL.model_id, architecture_id=OTHER_MODEL.architecture_id)
    writer.save_experiment()
    writer.close()
    wait_for_tidying()
    assert check(whole_store) == []
    target = whole_store.root.parent / "x.weights.h5"
    Store(whole_store.root).experiment(writer.experiment.experiment_id).save_weights(target)
    with h5py.File(target) as file:
        assert np.array_equal(file["layers/dense/vars/0"], noise(1))


def test_a_writer_that_has_just_found_a_variable_keeps_its_pack(whole_store: LocalFiles) -> None:
    old = record(whole_store, 8, noise(1))
    delete_experiment(whole_store, old)
    grow_old(whole_store)
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))
    found: dict[str, str] = {}
    know = writer._known_variables

    def known(ids: list[str]) -> dict[str, str]:
        undelete(whole_store, old)  # so that it is found
        found.update(know(ids))
        delete_experiment(whole_store, old)
        collect(whole_store)
        return found

    writer._known_variables = known  # type: ignore[method-assign, assignment]
    writer.add_checkpoint("end", save(noise(1)))
    writer.close()
    wait_for_tidying()

    assert found
    assert check(whole_store) == []
    target = whole_store.root.parent / "x.weights.h5"
    Store(whole_store.root).experiment(writer.experiment.experiment_id).save_weights(target)


def test_a_variable_whose_pack_has_gone_is_stored_again(whole_store: LocalFiles) -> None:
    run = record(whole_store, 8, noise(1))
    rows = Tables(whole_store).read(
        "variables", where={"variable_id": variables_of(whole_store, run)}
    )
    whole_store.delete(rows["pack_path"][0].as_py())
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))

    assert writer._known_variables(rows["variable_id"].to_pylist()) == {}
    writer.close()


def variables_of(files: LocalFiles, run: str) -> list[str]:
    rows = Tables(files).of_experiment("checkpoints", "digits", run)
    return [each for ids in rows["variable_ids"].to_pylist() for each in ids]


def test_rows_that_are_used_just_as_they_go_come_back(
    whole_store: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that begins and ends between the look at the rows and the commit."""
    old = record(whole_store, 8, noise(1))
    delete_experiment(whole_store, old)
    grow_old(whole_store)
    plan, ran = collection._without_unused, []

    def planned(now: object, **facts: object) -> object:
        made = plan(now, **facts)  # type: ignore[arg-type]
        if made is not None and not ran:
            ran.append(record(whole_store, 9, noise(1)))
        return made

    monkeypatch.setattr(collection, "_without_unused", planned)
    collect(whole_store)

    assert ran
    assert check(whole_store) == []
    assert Store(whole_store.root).experiment(ran[0]).model()["model_id"] == OTHER_MODEL.model_id


def test_an_experiment_that_was_taken_up_again_stays(whole_store: LocalFiles) -> None:
    delete_experiment(whole_store, IDS[0])
    grow_old(whole_store)
    resumed = Store(whole_store.root)
    assert resumed
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(1), resumes=True)

    assert collect(whole_store).experiments == ()

    writer.close()
    wait_for_tidying()
    undelete(whole_store, IDS[0])
    assert check(whole_store) == []


def test_packs_with_much_garbage_are_written_anew(whole_store: LocalFiles) -> None:
    first = record(whole_store, 8, noise(1), noise(2))
    second = record(whole_store, 9, noise(2), noise(3))
    delete_experiment(whole_store, first)
    grow_old(whole_store)
    size = sum(info.size_bytes for info in whole_store.list("objects/packs"))

    collected = collect(whole_store)

    assert collected.merged_packs == 1
    assert sum(info.size_bytes for info in whole_store.list("objects/packs")) < size - 3000
    assert check(whole_store) == []
    target = whole_store.root.parent / "x.weights.h5"
    Store(whole_store.root).experiment(second).save_weights(target)
    with h5py.File(target) as file:
        assert np.array_equal(file["layers/dense/vars/0"], noise(2))


def test_many_small_packs_are_merged(whole_store: LocalFiles) -> None:
    for number in range(11, 20):
        record(whole_store, number, noise(number))
    before = content_of(whole_store)
    grow_old(whole_store)

    collected = collect(whole_store)

    assert collected.merged_packs == 10
    assert len(whole_store.list("objects/packs")) == 1
    assert check(whole_store) == []
    after = content_of(whole_store)
    assert {t: len(rows) for t, rows in after.items()} == {t: len(r) for t, r in before.items()}
    assert all(after[t] == before[t] for t in set(SCHEMAS) - {"variables"})


def prepared(files: LocalFiles) -> None:
    first = record(files, 8, noise(1), noise(2))
    record(files, 9, noise(2), noise(3))
    delete_experiment(files, first)
    delete_experiment(files, IDS[2])
    compact(files)
    grow_old(files)


def test_a_collection_that_is_cut_off_anywhere(
    whole_store: LocalFiles, copy_factory: Callable[..., LocalFiles]
) -> None:
    prepared(whole_store)
    done = copy_factory(whole_store.root)
    collect(done)
    should = content_of(done)
    changes = 0
    while True:
        files = copy_factory(whole_store.root)
        grow_old(files)
        try:
            collect(FailingFiles(files.root, changes))
        except CutOffError:
            assert content_of(files)["experiments"] == should["experiments"], changes
            Store(files.root)
            assert check(files) == [], changes
            grow_old(files)
            collect(files)
            assert check(files) == [], changes
            assert content_of(files) == should, changes
            assert objects(files) == objects(done), changes
            shutil.rmtree(files.root)
            changes += 7
        else:
            assert changes > 30
            return


@pytest.mark.slow
def test_writers_and_a_collector_at_once(whole_store: LocalFiles) -> None:
    problems: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for number in range(first, first + 6):
                run = record(whole_store, number, noise(number % 3), noise(7))
                if number % 2:
                    delete_experiment(whole_store, run)
        except BaseException as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in (100, 200)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        collect(whole_store, grace_seconds=5)
    for thread in threads:
        thread.join()

    assert problems == []
    assert check(whole_store) == []
    target = whole_store.root.parent / "x.weights.h5"
    store = Store(whole_store.root)
    for run in store.experiments()["experiment_id"]:
        store.experiment(run).save_weights(target)


def test_a_writer_that_has_just_found_an_architecture_keeps_its_file(
    whole_store: LocalFiles,
) -> None:
    old = record(whole_store, 8, noise(1))
    delete_experiment(whole_store, old)
    grow_old(whole_store)
    path = architecture_file(OTHER_ARCHITECTURE.architecture_id)

    write_architecture(whole_store.root / path, OTHER_ARCHITECTURE)
    collect(whole_store)

    assert whole_store.exists(path)
