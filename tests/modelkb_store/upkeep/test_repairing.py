from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from modelkb_store import Store
from modelkb_store.commits.compaction import compact
from modelkb_store.commits.rows import replace_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.recovery import recover
from modelkb_store.records import Status
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import deleted_experiments
from modelkb_store.upkeep.repairing import repair
from modelkb_store.writer import ExperimentWriter
from small_experiment import ENVIRONMENT, KERNEL, experiment_record, metric_record

from .conftest import CutOffError, FailingFiles
from .test_checking import dead_log, die, flip, one

FIRST = "20260102-030405678-0000000001"
IDS = [f"20260102-030405678-000000000{n}" for n in (1, 2, 3)]


def content_of(files: LocalFiles) -> dict[str, list[str]]:
    """Return all rows of a store, comparably."""
    return {table: sorted(map(repr, Tables(files).read(table).to_pylist())) for table in SCHEMAS}


def set_aside(files: LocalFiles) -> list[str]:
    return [info.path.split("/", 2)[2] for info in files.list("set-aside")]


def test_a_whole_store_stays_as_it_is(whole_store: LocalFiles) -> None:
    before = {i: whole_store.read(i.path) for i in whole_store.list("")}

    assert repair(whole_store) == []
    assert {i: whole_store.read(i.path) for i in whole_store.list("")} == before


DAMAGES = ["flipped", "truncated", "deleted"]
TABLES = sorted(set(SCHEMAS) - {"predictions"})


# Every table in two of the six ways, and the table of experiments in all of them.
@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_any_damage_of_a_table(
    copy_factory: Callable[..., LocalFiles], small_store: Path, damage: str, compacted: bool
) -> None:
    way = 2 * DAMAGES.index(damage) + compacted
    for table in {*TABLES[way % 3 :: 3], "experiments"}:
        files = copy_factory(small_store)
        if compacted:
            compact(files)
        path = one(files, f"{table}/project=digits/*.parquet")
        if damage == "flipped":
            flip(path, path.read_bytes().index(b"\x28\xb5\x2f\xfd") + 8)
        elif damage == "truncated":
            path.write_bytes(path.read_bytes()[:-20])
        else:
            path.unlink()

        repair(files)

        assert check(files) == [], table
        if damage != "deleted":
            assert path.relative_to(files.root).as_posix() in set_aside(files)
        Store(files.root).experiments()


def test_a_lost_row_of_an_experiment(whole_store: LocalFiles) -> None:
    (whole_store.root / f"experiments/project=digits/{FIRST}.parquet").unlink()

    done = repair(whole_store)

    assert any(FIRST in sentence for sentence in done)
    run = Store(whole_store.root).experiment(FIRST)
    assert run.record.status == Status.INTERRUPTED.value
    assert f"{run.record.started_at:%Y%m%d-%H%M%S}678" == FIRST[:18]
    assert run.record.epochs_completed == 3
    assert len(run.metrics()) == 9
    assert run.hyperparameters()["epochs"] == 3


def test_lost_summaries_are_computed_anew(whole_store: LocalFiles) -> None:
    before = content_of(whole_store)
    for path in whole_store.root.glob("metric_summaries/*/*.parquet"):
        path.unlink()

    repair(whole_store)

    assert content_of(whole_store) == before


def test_a_lost_row_of_a_project(whole_store: LocalFiles) -> None:
    shutil.rmtree(whole_store.root / "projects")

    repair(whole_store)

    assert check(whole_store) == []
    assert Store(whole_store.root).projects()["project"].tolist() == ["cats & dogs", "digits"]


def test_a_damaged_manifest_loses_no_row(whole_store: LocalFiles) -> None:
    compact(whole_store)
    before = content_of(whole_store)
    newest = sorted(whole_store.root.glob("manifest/*.json"))[-1]
    newest.write_bytes(b"{")

    repair(whole_store)

    assert check(whole_store) == []
    assert content_of(whole_store) == before


def test_without_any_manifest(whole_store: LocalFiles) -> None:
    compact(whole_store)
    before = content_of(whole_store)
    for path in whole_store.root.glob("manifest/*.json"):
        path.write_bytes(b"\x00" * 100)

    repair(whole_store)

    assert check(whole_store) == []
    assert content_of(whole_store) == before


def test_a_damaged_manifest_and_inputs_that_were_not_deleted(whole_store: LocalFiles) -> None:
    before = content_of(whole_store)
    old = {path: path.read_bytes() for path in whole_store.root.glob("metrics/*/*.parquet")}
    compact(whole_store)
    for path, content in old.items():
        path.write_bytes(content)
    for path in whole_store.root.glob("manifest/*.json"):
        path.write_bytes(b"\x00" * 100)

    repair(whole_store)

    assert check(whole_store) == []
    assert content_of(whole_store) == before


@pytest.mark.parametrize("content", [None, b"", b'{"format": "x", "version": 1}'])
def test_format(whole_store: LocalFiles, content: bytes | None) -> None:
    path = whole_store.root / "format.json"
    path.unlink() if content is None else path.write_bytes(content)

    repair(whole_store)

    assert check(whole_store) == []
    assert len(Store(whole_store.root).experiments()) == 3


def test_rows_that_are_there_twice(whole_store: LocalFiles) -> None:
    before = content_of(whole_store)
    for table in ("experiments", "metrics", "epochs", "models", "layers", "batch_metrics"):
        path = one(whole_store, f"{table}/project=digits/*.parquet")
        shutil.copy(path, path.with_name("zz.parquet"))
    assert check(whole_store)

    repair(whole_store)

    assert check(whole_store) == []
    assert content_of(whole_store) == before


def test_the_same_experiment_in_two_projects(whole_store: LocalFiles) -> None:
    path = whole_store.root / f"experiments/project=digits/{FIRST}.parquet"
    shutil.copy(path, whole_store.root / "experiments/project=cats%20%26%20dogs/x.parquet")

    repair(whole_store)

    assert check(whole_store) == []
    assert Store(whole_store.root).experiment(FIRST).project == "digits"


def test_references_to_what_is_lost_are_cleared(whole_store: LocalFiles) -> None:
    for table in ("models", "environments", "datasets"):
        shutil.rmtree(whole_store.root / table)

    repair(whole_store)

    assert check(whole_store) == []
    record = Store(whole_store.root).experiment(FIRST).record
    assert record.model_id is record.environment_id is record.dataset_id is None
    assert record.implementation_id is not None
    assert any("model_id c1c1" in problem for problem in record.problems)


@pytest.mark.parametrize("kind", ["architectures", "files", "packs"])
@pytest.mark.parametrize("damage", ["deleted", "truncated", "other"])
def test_objects(whole_store: LocalFiles, kind: str, damage: str) -> None:
    path = one(whole_store, f"objects/{kind}/*/*")
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:9] if damage == "truncated" else b"other")

    repair(whole_store)

    assert check(whole_store) == []
    run = Store(whole_store.root).experiment(FIRST)
    assert run.record.problems
    assert len(run.checkpoints()) == (0 if kind == "packs" else 1)
    assert len(run.artifacts()) == (0 if kind == "files" else 1)
    assert (run.record.architecture_id is None) == (kind == "architectures")


def test_the_sound_variables_of_a_damaged_pack_are_saved(whole_store: LocalFiles) -> None:
    path = one(whole_store, "objects/packs/*/*.h5")
    content = path.read_bytes()
    flip(path, content.index(KERNEL.tobytes()[4:12]))

    (finding,) = check(whole_store)
    done = repair(whole_store)

    assert finding.path == path.relative_to(whole_store.root).as_posix()
    assert any("1 of 2 variables" in sentence for sentence in done)
    assert check(whole_store) == []
    assert Tables(whole_store).read("variables", "digits").num_rows == 1


def test_variables_are_found_in_another_pack(whole_store: LocalFiles) -> None:
    path = one(whole_store, "objects/packs/*/*.h5")
    shutil.copy(path, path.with_name("f" * 32 + ".h5"))
    path.unlink()

    repair(whole_store)

    assert check(whole_store) == []
    target = whole_store.root.parent / "x.weights.h5"
    assert Store(whole_store.root).experiment(FIRST).save_weights(target).exists()


def test_dead_logs(whole_store: LocalFiles) -> None:
    path = dead_log(whole_store, damaged=True)

    repair(whole_store)

    assert check(whole_store) == []
    run = Store(whole_store.root).experiment(f"{FIRST[:-1]}9")
    assert run.record.status == Status.INTERRUPTED.value
    assert run.metrics()["epoch"].tolist() == [1]
    assert path in set_aside(whole_store)


def test_a_log_without_its_first_line(whole_store: LocalFiles) -> None:
    path = whole_store.root / dead_log(whole_store, damaged=False)
    flip(path, 12)
    os.utime(path, (1, 1))

    repair(whole_store)

    assert check(whole_store) == []
    run = Store(whole_store.root).experiment(f"{FIRST[:-1]}9")
    assert run.metrics()["epoch"].tolist() == [0, 1]
    assert run.record.name == "run-9"


def test_foreign_files_and_claims(whole_store: LocalFiles) -> None:
    paths = ["metrics/a.txt", "log/x", "tombstones/x.txt"]
    claim = "log/project=digits/x.claim"
    for path in (*paths, claim):
        whole_store.write(path, b"{")
    os.utime(whole_store.root / claim, (1, 1))

    repair(whole_store)

    assert check(whole_store) == []
    assert sorted(set_aside(whole_store)) == sorted(paths)
    assert not whole_store.exists(claim)


def test_a_damaged_tombstone(whole_store: LocalFiles) -> None:
    whole_store.write(f"tombstones/{FIRST}.json", b"x")

    repair(whole_store)

    assert check(whole_store) == []
    assert deleted_experiments(whole_store) == [FIRST]


def test_a_running_experiment_goes_on(whole_store: LocalFiles) -> None:
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))
    shutil.rmtree(whole_store.root / "models")

    repair(whole_store)
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()

    assert check(whole_store) == []
    assert Store(whole_store.root).experiment(f"{FIRST[:-1]}9").record.status == "finished"


def test_the_same_path_set_aside_twice(whole_store: LocalFiles) -> None:
    for content in (b"1", b"2"):
        whole_store.write("metrics/a.txt", content)
        repair(whole_store)

    kept = {whole_store.read(info.path) for info in whole_store.list("set-aside")}
    assert kept == {b"1", b"2"}


def broken(files: LocalFiles) -> None:
    """Break a store in many ways at once."""
    compact(files)
    one(files, "metrics/project=digits/*.parquet").write_bytes(b"x")
    one(files, "resources/project=digits/*.parquet").unlink()
    one(files, "experiments/project=cats*/*.parquet").write_bytes(b"")
    shutil.rmtree(files.root / "models")
    one(files, "objects/packs/*/*.h5").write_bytes(b"y")
    one(files, "objects/files/*/*").unlink()
    files.write("epochs/stray.parquet", b"z")
    copied = one(files, "epochs/project=digits/*.parquet")
    shutil.copy(copied, copied.with_name("zz.parquet"))
    dead_log(files, damaged=True)


def test_many_damages_at_once(whole_store: LocalFiles) -> None:
    broken(whole_store)

    repair(whole_store)

    assert check(whole_store) == []


def test_a_repair_that_is_cut_off_anywhere(
    whole_store: LocalFiles, copy_factory: Callable[..., LocalFiles]
) -> None:
    broken(whole_store)
    changes = 0
    while True:
        files = copy_factory(whole_store.root)
        try:
            repair(FailingFiles(files.root, changes))
        except CutOffError:
            for claim in files.root.glob("log/*/*.claim"):
                # Of this process, which was to be dead.
                claim.write_bytes(b"")
                os.utime(claim, (1, 1))
            Store(files.root)
            repair(files)
            assert check(files) == [], changes
            shutil.rmtree(files.root)
            changes += random.Random(changes).randrange(4, 20)
        else:
            assert check(files) == []
            assert changes > 20
            return


def test_random_damage(copy_factory: Callable[..., LocalFiles]) -> None:
    for seed in range(5):
        chance = random.Random(seed)
        files = copy_factory()
        if chance.random() < 0.5:
            compact(files)
        paths = [info.path for info in files.list("")]
        for path in chance.sample(paths, 3):
            damage(files.root / path, chance)

        repair(files)

        assert check(files) == [], seed
        Store(files.root).experiments()


def damage(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    match chance.choice(["flip", "cut", "delete", "zeros"]):
        case "flip":
            for _ in range(10):
                flip(path, chance.randrange(len(content)))
        case "cut":
            path.write_bytes(content[: chance.randrange(len(content))])
        case "delete":
            path.unlink()
        case "zeros":
            path.write_bytes(bytes(len(content)))


def test_wrong_summaries(whole_store: LocalFiles) -> None:
    before = content_of(whole_store)
    rows = Tables(whole_store).of_experiment("metric_summaries", "digits", FIRST)
    wrong = rows.set_column(3, rows.schema.field(3), pa.array([7] * rows.num_rows))
    replace_rows(whole_store, "metric_summaries", "digits", FIRST, wrong)

    repair(whole_store)

    assert content_of(whole_store) == before


def test_one_log_that_cannot_be_folded_keeps_no_other_waiting(whole_store: LocalFiles) -> None:
    """Beside a damaged file of shared rows, the logs of other projects are folded."""
    compact(whole_store)
    one(whole_store, "environments/project=cats*/*.parquet").write_bytes(b"")
    for number, project in ((8, "cats & dogs"), (9, "digits")):
        writer = ExperimentWriter(whole_store.root, project, experiment_record(number))
        writer.add_environment(ENVIRONMENT)
        die(writer, project)

    recover(whole_store)

    logs = [info.path for info in whole_store.list("log")]
    assert len(logs) == 1
    assert "cats" in logs[0]
    repair(whole_store)
    assert check(whole_store) == []
    assert len(Store(whole_store.root).experiments()) == 5
