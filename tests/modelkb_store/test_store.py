from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import (
    AmbiguousIdError,
    CorruptFileError,
    Experiment,
    ExperimentNotFoundError,
    FormatVersionError,
    Store,
    StoreNotFoundError,
)
from modelkb_store.commits.compaction import compact
from modelkb_store.errors import InvalidSettingError, UnknownQueryNameError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record, record_complete_experiment
from sweep import record_sweep

WriterFactory = Callable[..., ExperimentWriter]
ODD_NAMES = ["cats & dogs", "日本語 é", "100%", "a=b", "a/b", "007 spies", "%41", "null"]


def with_id(store: Path, experiment_id: str, project: str = "digits") -> None:
    ExperimentWriter(store, project, experiment_record(experiment_id=experiment_id)).close()


def test_a_store_that_is_not_there(store: Path) -> None:
    with pytest.raises(StoreNotFoundError, match=rf"{re.escape(str(store))}.*MODELKB_STORE"):
        Store(store)

    assert not store.exists()


def test_the_store_is_found_as_when_recording(
    store: Path, writer_factory: WriterFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    writer_factory()

    assert Store().uri == str(store)
    assert Store(str(store)).uri == str(store)
    assert Store(store.as_uri()).uri == str(store)
    monkeypatch.setenv("MODELKB_STORE", str(store))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Store().uri == str(store)
    assert repr(Store()) == f"Store({str(store)!r})"


def test_a_newer_store(store: Path) -> None:
    store.mkdir()
    (store / "format.json").write_text('{"format": "modelkb-store", "version": 3}')

    with pytest.raises(FormatVersionError, match="pip install --upgrade modelkb"):
        Store(store)


def test_a_damaged_format_file(store: Path) -> None:
    store.mkdir()
    (store / "format.json").write_text("{")

    with pytest.raises(CorruptFileError, match=r"format\.json"):
        Store(store)


def test_an_empty_store(store: Path) -> None:
    create_store(LocalFiles(store))
    opened = Store(store)

    assert list(opened.projects().columns) == [
        "project",
        "created_at",
        "owner",
        "application",
        "description",
        "experiment_count",
        "last_started_at",
    ]
    assert len(opened.projects()) == 0
    assert len(opened.experiments()) == 0
    with pytest.raises(ExperimentNotFoundError, match="'anything'"):
        opened.experiment("anything")


def test_projects_are_counted(store: Path) -> None:
    for number, project in ((1, "zoo"), (2, "apes"), (3, "zoo")):
        record = experiment_record(number, owner=f"user-{number}")
        ExperimentWriter(store, project, record).close()

    projects = Store(store).projects()

    assert projects["project"].tolist() == ["apes", "zoo"]
    assert projects["experiment_count"].tolist() == [1, 2]
    assert projects["experiment_count"].dtype == "int64"
    assert projects["owner"].tolist() == ["user-2", "user-1"]
    assert projects["created_at"].tolist() == [
        experiment_record(2).started_at,
        experiment_record(1).started_at,
    ]
    assert projects["last_started_at"].tolist() == [
        experiment_record(2).started_at,
        experiment_record(3).started_at,
    ]


def test_projects_are_in_order_of_their_names(store: Path, writer_factory: WriterFactory) -> None:
    # In the order of their folders these would be the other way round.
    for project in ("é", "z", "a"):
        writer_factory(project)

    assert Store(store).projects()["project"].tolist() == ["a", "z", "é"]


def test_a_project_without_experiments_counts_none(store: Path) -> None:
    ExperimentWriter(store, "zoo", experiment_record(1)).close()
    (path,) = (store / "experiments").rglob("*.parquet")
    path.unlink()

    projects = Store(store).projects()

    assert projects["project"].tolist() == ["zoo"]
    assert projects["experiment_count"].tolist() == [0]
    assert projects["last_started_at"].isna().all()


@pytest.mark.parametrize("project", ["007", "-5", *ODD_NAMES])
def test_a_project_keeps_its_name(store: Path, project: str) -> None:
    record_complete_experiment(store, project)
    opened = Store(store)

    assert opened.projects()["project"].tolist() == [project]
    assert opened.experiments(project)["project"].tolist() == [project]
    assert opened.experiment("20260102").project == project
    assert len(opened.experiment("20260102").metrics()) == 9


def test_a_project_is_found_by_both_spellings(store: Path, writer_factory: WriterFactory) -> None:
    writer_factory("cafe\u0301")

    assert len(Store(store).experiments("cafe\u0301")) == 1


def test_experiments_are_a_data_frame(store: Path) -> None:
    record_complete_experiment(store, "digits", 1)
    record_complete_experiment(store, "letters", 2, name="other", tags=("a", "b"))

    runs = Store(store).experiments()

    assert runs["name"].tolist() == ["run-1", "other"]
    assert runs["project"].tolist() == ["digits", "letters"]
    assert [list(tags) for tags in runs["tags"]] == [[], ["a", "b"]]
    assert runs["params.learning_rate"].tolist() == [0.001, 0.001]
    assert runs["params.epochs"].tolist() == [3, 3]
    assert runs["params.optimizer"].tolist() == ["adam", "adam"]
    assert runs["metrics.loss"].tolist() == [1 / 3, 1 / 3]
    assert runs["metrics.val_loss"].tolist() == [2 / 3, 2 / 3]
    assert runs["metrics.accuracy"].tolist() == [0.75, 0.75]
    assert Store(store).experiments("letters")["name"].tolist() == ["other"]
    assert len(Store(store).experiments("unknown")) == 0


def test_an_experiment_is_found_by_its_id(recorded_experiment: Experiment, store: Path) -> None:
    found = Store(store).experiment(recorded_experiment.id)

    assert found.id == recorded_experiment.id
    assert found.record == recorded_experiment.record
    assert found.project == "digits"


@pytest.mark.parametrize("wanted", ["20260102", "20260102-030405678-00000000ab", "00000000ab"])
def test_an_experiment_is_found_by_a_part_of_its_id(store: Path, wanted: str) -> None:
    with_id(store, "20260101-030405678-00000000cd", "other")
    with_id(store, "20260102-030405678-00000000ab", "zoo")

    found = Store(store).experiment(wanted)

    assert found.id == "20260102-030405678-00000000ab"
    assert found.project == "zoo"


def test_an_id_that_begins_another_is_found(store: Path) -> None:
    with_id(store, "20260102-030405678-00000000ab")
    with_id(store, "20260102-030405678-00000000abcd")

    found = Store(store).experiment("20260102-030405678-00000000ab")

    assert found.id == "20260102-030405678-00000000ab"


def test_a_part_that_fits_several(store: Path) -> None:
    for number in range(1, 8):
        ExperimentWriter(store, "digits", experiment_record(number)).close()

    with pytest.raises(AmbiguousIdError) as caught:
        Store(store).experiment("20260102")

    text = str(caught.value)
    assert "'20260102' fits 7 experiments" in text
    assert experiment_record(1).experiment_id in text
    assert "Give more of the id" in text
    assert text.count("030405678") == 5


@pytest.mark.parametrize("wanted", ["", "2027", "030405678", "ab", "-00000000ab", "00000000AB"])
def test_an_unknown_id(store: Path, wanted: str) -> None:
    with_id(store, "20260102-030405678-00000000ab")

    with pytest.raises(ExperimentNotFoundError, match=f"No experiment '{wanted}'.*`modelkb ls`"):
        Store(store).experiment(wanted)


def test_near_ids_are_shown(store: Path) -> None:
    with_id(store, "20260102-030405678-00000000ab")

    with pytest.raises(ExperimentNotFoundError) as caught:
        Store(store).experiment("20260102-030405679-00000000ab")

    assert "Did you mean 20260102-030405678-00000000ab?" in str(caught.value)


@pytest.mark.parametrize("table", ["experiments", "hyperparameters", "metric_summaries"])
def test_a_damaged_file_among_good_ones_is_named(store: Path, table: str) -> None:
    for number in range(1, 4):
        record_complete_experiment(store, "digits", number)
    path = sorted((store / table).rglob("*.parquet"))[1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(CorruptFileError, match=re.escape(str(path))) as caught:
        Store(store).experiments()

    assert caught.value.path == path
    path.unlink()
    assert len(Store(store).experiments()) == (2 if table == "experiments" else 3)


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("table", ["experiments", "hyperparameters", "metrics", "checkpoints"])
def test_who_is_told_of_damaged_files_reads_the_rest(
    store: Path, table: str, compacted: bool
) -> None:
    ids = [
        record_complete_experiment(store, "digits", number).experiment.experiment_id
        for number in range(1, 4)
    ]
    if compacted:
        compact(Store(store).files)
        ids.append(record_complete_experiment(store, "digits", 4).experiment.experiment_id)
    path = sorted((store / table).rglob("*.parquet"))[0 if not compacted else -1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told: list[CorruptFileError] = []

    opened = Store(store, on_damaged=told.append)
    listed = opened.experiments()
    rows = {run: opened.experiment(run).table(table) for run in listed["experiment_id"]}

    assert {error.path for error in told} == {path}
    whole = [run for run in ids if run in rows and (table == "experiments" or rows[run].num_rows)]
    assert 0 < len(whole) < len(ids)
    assert len(listed) == (len(whole) if table == "experiments" else len(ids))


def test_a_file_with_damaged_text_is_named(store: Path) -> None:
    record_complete_experiment(store)
    (path,) = (store / "metric_summaries").rglob("*.parquet")
    rows = pq.ParquetFile(path).read()
    damaged = pa.array([b"\xff\xfe"] * rows.num_rows, pa.binary()).cast(pa.string(), safe=False)
    position = rows.schema.get_field_index("metric")
    pq.write_table(rows.set_column(position, "metric", damaged), path)

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        Store(store).experiments()


def test_a_file_that_was_rewritten_with_pandas_is_read(store: Path) -> None:
    record = record_complete_experiment(store).experiment
    (path,) = (store / "experiments").rglob("*.parquet")
    pq.ParquetFile(path).read().to_pandas().to_parquet(path)

    assert Store(store).experiment(record.experiment_id).record == record


def test_a_damaged_project_file_is_named(store: Path) -> None:
    record_complete_experiment(store)
    path = store / "projects" / "project=digits" / "project.parquet"
    path.write_bytes(b"")

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        Store(store).projects()


@pytest.mark.parametrize("project", ODD_NAMES)
def test_plain_pandas_reads_the_metrics(store: Path, project: str) -> None:
    writer = record_complete_experiment(store, project)
    (path,) = (store / "metrics").rglob("*.parquet")
    # As left by a writer at this moment, or by one that was killed.
    path.with_name(".5f2c.tmp").write_bytes(path.read_bytes()[:500])

    rows = pd.read_parquet(store / "metrics")

    assert set(rows["project"]) == {project}
    assert set(rows["experiment_id"]) == {writer.experiment.experiment_id}
    losses = rows[(rows["metric"] == "loss") & (rows["split"] == "train")]
    assert losses.sort_values("epoch")["value"].tolist() == [1.0, 1 / 2, 1 / 3]


def test_plain_pandas_reads_all_projects_together(store: Path) -> None:
    for number, project in enumerate(["007", *ODD_NAMES], 1):
        record_complete_experiment(store, project, number)

    for table, count in (("experiments", 1), ("metrics", 9), ("layers", 1)):
        rows = pd.read_parquet(store / table)
        counts = rows["project"].value_counts().to_dict()
        assert counts == dict.fromkeys(["007", *ODD_NAMES], count)


def test_a_store_can_be_read_while_it_grows(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    writer.append_metrics([metric_record(experiment_id, 0, 0.0)])

    def grow() -> None:
        for epoch in range(1, 60):
            writer.append_metrics([metric_record(experiment_id, epoch, float(epoch))])
            writer.save_experiment()

    growing = threading.Thread(target=grow)
    growing.start()
    opened, lengths = Store(store), []
    while growing.is_alive():
        values = opened.experiment(experiment_id).metrics()["value"].tolist()
        assert values == [float(epoch) for epoch in range(len(values))]
        assert len(opened.experiments()) == 1
        lengths.append(len(values))
    growing.join()

    assert lengths == sorted(lengths)
    assert opened.experiments()["metrics.loss"].tolist() == [59.0]


def test_an_experiment_is_found_by_its_name_or_a_part_of_its_id(store: Path) -> None:
    first = record_complete_experiment(store, "digits", 1, name="first try").experiment
    record_complete_experiment(store, "digits", 2, name="second try")

    for wanted in ("first try", "0000000001", first.experiment_id):
        assert Store(store).experiment(wanted).id == first.experiment_id
    with pytest.raises(ExperimentNotFoundError, match="Did you mean first try"):
        Store(store).experiment("first trie")
    with pytest.raises(AmbiguousIdError, match="fits 2 experiments"):
        Store(store).experiment("00000000")


def test_other_files_in_a_table_are_passed_over(store: Path) -> None:
    record_complete_experiment(store)
    (store / "experiments" / "notes.txt").write_text("mine")
    (store / "experiments" / "project=digits" / "notes.txt").write_text("mine")

    assert len(Store(store).experiments()) == 1


def test_ids_alone_and_the_rows_of_some(store: Path) -> None:
    ids = record_sweep(store, count=5)
    with_id(store, "20250101-000000000-0000000000", "other")
    opened = Store(store)

    best_first = opened.experiment_ids("sweep", order_by="-params.learning_rate")
    rows = opened.experiment_rows([ids[3], "gone", ids[0]])

    assert best_first == ids[::-1]
    assert opened.experiment_ids("sweep", where="params.optimizer = 'adam'") == [ids[0], ids[3]]
    assert opened.experiment_ids(where="project = 'other'") == ["20250101-000000000-0000000000"]
    assert rows["experiment_id"].to_pylist() == [ids[3], ids[0]]
    whole = opened.experiment_table("sweep")
    assert rows.equals(whole.take([3, 0]).select(rows.column_names))
    assert opened.experiment_rows(ids, "other").num_rows == 0
    with pytest.raises(UnknownQueryNameError):
        opened.experiment_ids("sweep", where="params.missing = 1")


def test_a_table_as_it_is_stored(store: Path) -> None:
    ids = record_sweep(store, count=2)

    rows = Store(store).table("metric_summaries", "sweep", ["project", "experiment_id", "split"])

    assert rows.column_names == ["project", "experiment_id", "split"]
    assert set(rows["experiment_id"].to_pylist()) == set(ids)
    with pytest.raises(InvalidSettingError, match="metric_summaries"):
        Store(store).table("summaries")
