from __future__ import annotations

import dataclasses
import hashlib
import math
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import InvalidNameError, NotAStoreError, Store
from modelkb_store.records import (
    EnvironmentRecord,
    ExperimentRecord,
    HyperparameterRecord,
    LayerRecord,
    ProjectRecord,
)
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ARCHITECTURE,
    ENVIRONMENT,
    LAYER,
    MODEL,
    STARTED,
    experiment_record,
    metric_record,
    read_records,
    record_complete_experiment,
    write_weights,
)

WriterFactory = Callable[..., ExperimentWriter]


def files_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def experiment_in_store(writer: ExperimentWriter) -> ExperimentRecord:
    """Return the experiment's row as others read it."""
    return Store(writer.files.root).experiment(writer.experiment.experiment_id).record


def test_an_experiment_is_in_its_log_until_it_ends(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory("cats & dogs")

    run, folder = writer.experiment.experiment_id, "project=cats%20%26%20dogs"
    assert files_in(store) == ["format.json", f"log/{folder}/{run}-0000.jsonl"]
    assert experiment_in_store(writer) == writer.experiment
    assert writer.experiment.status == "running"
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    assert files_in(store) == [
        f"experiments/{folder}/{run}.parquet",
        "format.json",
        f"projects/{folder}/project.parquet",
    ]
    assert experiment_in_store(writer) == writer.experiment
    (record,) = read_records(
        store / "experiments" / folder / f"{run}.parquet", "experiments", ExperimentRecord
    )
    assert record == writer.experiment


def test_the_first_experiment_makes_the_project(store: Path, writer_factory: WriterFactory) -> None:
    writer_factory(owner="ada", started_at=STARTED).close()
    writer_factory(owner="grace", started_at=STARTED + timedelta(days=1)).close()

    path = store / "projects" / "project=digits" / "project.parquet"
    assert read_records(path, "projects", ProjectRecord) == [ProjectRecord(STARTED, "ada")]


def test_a_project_name_that_is_not_legal(writer_factory: WriterFactory) -> None:
    with pytest.raises(InvalidNameError, match="not empty"):
        writer_factory("")


def test_a_folder_of_something_else(store: Path, writer_factory: WriterFactory) -> None:
    store.mkdir()
    (store / "thesis.txt").touch()

    with pytest.raises(NotAStoreError, match=r"thesis\.txt"):
        writer_factory()

    assert files_in(store) == ["thesis.txt"]


def test_changes_are_on_disk_after_saving(writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    before = writer.experiment

    writer.set(status="finished", tags=("a", "b"), epochs_completed=3)
    assert experiment_in_store(writer) == before
    writer.save_experiment()

    expected = dataclasses.replace(before, status="finished", tags=("a", "b"), epochs_completed=3)
    assert experiment_in_store(writer) == writer.experiment == expected


def test_an_unknown_field_cannot_be_set(writer_factory: WriterFactory) -> None:
    with pytest.raises(TypeError, match="colour"):
        writer_factory().set(colour="red")


def test_metrics_can_be_read_at_once(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    opened = Store(store).experiment(run)

    for epoch in range(3):
        writer.append_metrics([metric_record(run, epoch, epoch / 2)])
        assert opened.metrics()["value"].tolist() == [number / 2 for number in range(epoch + 1)]
    writer.close()
    assert pd.read_parquet(store / "metrics")["value"].tolist() == [0.0, 0.5, 1.0]


def test_batch_metrics_by_column(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    record = metric_record(run, 0, 0.5, step=1, wall_time=STARTED)

    writer.append_batch_metrics([record])
    writer.append_batch_columns(
        {
            "experiment_id": run,
            "epoch": 0,
            "step": [2, 3],
            "split": "train",
            "metric": "loss",
            "value": [0.25, float("nan")],
            "wall_time": [1767323045678000, 1767323045678001],
        }
    )
    for _ in range(2):
        rows = Store(store).experiment(run).table("batch_metrics").to_pylist()
        assert [row["step"] for row in rows] == [1, 2, 3]
        assert [row["value"] for row in rows[:2]] == [0.5, 0.25]
        assert math.isnan(rows[2]["value"])
        assert rows[0]["wall_time"] == rows[1]["wall_time"] == STARTED
        assert {(row["epoch"], row["split"], row["metric"]) for row in rows} == {
            (0, "train", "loss")
        }
        writer.close()
    assert not (store / "metrics").exists()


def test_later_hyperparameters_replace_earlier_ones(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id

    for value in ("1", "2"):
        writer.write_hyperparameters(
            [HyperparameterRecord(experiment_id, "epochs", value, float(value), "fit")]
        )

    assert Store(store).experiment(experiment_id).hyperparameters() == {"epochs": 2}
    writer.close()
    assert pd.read_parquet(store / "hyperparameters")["value"].tolist() == ["2"]


def test_what_is_shared_is_stored_once(store: Path, writer_factory: WriterFactory) -> None:
    first, second = writer_factory(), writer_factory()
    later = dataclasses.replace(ENVIRONMENT, created_at=STARTED + timedelta(days=1))

    first.add_environment(ENVIRONMENT)
    first.close()
    (path,) = (store / "environments").rglob("*.parquet")
    before = path.stat().st_ino
    second.add_environment(later)
    second.close()

    assert [entry.name for entry in path.parent.iterdir()] == [
        f"{ENVIRONMENT.environment_id}.parquet"
    ]
    assert path.stat().st_ino == before
    (read,) = read_records(path, "environments", EnvironmentRecord)
    assert read.created_at == STARTED


def test_what_is_shared_is_in_each_project(store: Path, writer_factory: WriterFactory) -> None:
    for project in ("cats", "dogs"):
        writer = writer_factory(project)
        writer.add_environment(ENVIRONMENT)
        writer.close()

    assert len(list((store / "environments").rglob("*.parquet"))) == 2


def test_an_architecture_is_stored_once_and_its_layers_by_project(
    store: Path, writer_factory: WriterFactory
) -> None:
    writers = [writer_factory(project) for project in ("cats", "dogs", "cats")]
    paths = {writer.add_architecture(ARCHITECTURE, [LAYER]) for writer in writers}
    for writer in writers:
        writer.close()

    expected = f"objects/architectures/a1/{ARCHITECTURE.architecture_id}.h5"
    assert paths == {expected}
    assert [name for name in files_in(store) if name.endswith(".h5")] == [expected]
    layers = sorted((store / "layers").rglob("*.parquet"))
    assert [path.parent.name for path in layers] == ["project=cats", "project=dogs"]
    assert read_records(layers[0], "layers", LayerRecord) == [LAYER]


def test_equal_weights_are_stored_once(store: Path, writer_factory: WriterFactory) -> None:
    partials = []

    def save(path: Path) -> None:
        partials.append(path)
        write_weights(path)

    writers = [writer_factory(), writer_factory()]
    records = [writer.add_checkpoint("end", save) for writer in writers for _ in range(2)]

    assert len({record.variable_ids for record in records}) == 1
    assert [record.size_bytes for record in records] == [40] * 4
    assert {record.experiment_id for record in records} == {
        writer.experiment.experiment_id for writer in writers
    }
    (pack,) = (path for path in (store / "objects").rglob("*") if path.is_file())
    assert pack.relative_to(store).as_posix().startswith("objects/packs/")
    assert partials[0].name.endswith(".weights.h5")
    assert not any(partial.parent.exists() for partial in partials)


def test_weights_that_cannot_be_saved_leave_nothing(
    store: Path, writer_factory: WriterFactory
) -> None:
    def save(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    writer = writer_factory()
    with pytest.raises(OSError, match="no space left"):
        writer.add_checkpoint("end", save)

    assert [name for name in files_in(store) if not name.startswith(("log/", "format"))] == []
    assert Store(store).experiment(writer.experiment.experiment_id).checkpoints().empty


def test_no_partial_file_is_left(store: Path) -> None:
    record_complete_experiment(store)

    assert list(store.rglob(".*")) == []


def test_threads_may_record_at_once(store: Path) -> None:
    start = threading.Barrier(5)

    def record(number: int) -> None:
        start.wait()
        record_complete_experiment(store, "digits", number)

    threads = [threading.Thread(target=record, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    opened = Store(store)
    assert opened.experiments()["name"].tolist() == [f"run-{number}" for number in range(1, 6)]
    assert opened.projects()["experiment_count"].tolist() == [5]
    assert len(list((store / "environments").rglob("*.parquet"))) == 1
    assert len(list((store / "objects" / "architectures").rglob("*.h5"))) == 1
    # Threads that save at the same moment may each store a variable; readers take one.
    assert len(opened.sql("select * from variables")) == 2
    assert len(opened.experiment(experiment_record(3).experiment_id).metrics()) == 9


def test_processes_may_record_at_once(store: Path) -> None:
    program = textwrap.dedent(
        """
        import pathlib, sys
        from small_experiment import record_complete_experiment

        first = int(sys.argv[2])
        for number in range(first, first + 4):
            record_complete_experiment(pathlib.Path(sys.argv[1]), "digits", number)
        """
    )
    support = Path(__file__).parents[1] / "support"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(store), str(first)], cwd=support)
        for first in (1, 5)
    ]

    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    runs = Store(store).experiments()
    assert runs["name"].tolist() == [f"run-{number}" for number in range(1, 9)]
    assert set(runs["status"]) == {"finished"}
    assert len(pd.read_parquet(store / "metrics")) == 8 * 9


def test_files_are_kept_once_per_content(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    kept = [
        writer.add_file("file", name, lambda path, text=text: path.write_bytes(text))  # type: ignore[misc]
        for name, text in (("a.txt", b"one"), ("b.txt", b"two"), ("c \udcff.txt", b"one"))
    ]
    writer.add_artifacts(kept)
    assert [record.size_bytes for record in kept] == [3, 3, 3]
    assert kept[0].path == kept[2].path != kept[1].path
    assert kept[0].sha256 == hashlib.sha256(b"one").hexdigest()
    assert (store / kept[1].path).read_bytes() == b"two"
    assert len([path for path in files_in(store) if path.startswith("objects/files")]) == 2
    names = Store(store).experiment(writer.experiment.experiment_id).artifacts()["name"]
    assert list(names) == ["a.txt", "b.txt", "c ?.txt"]


def test_a_file_that_cannot_be_written_leaves_nothing(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    before = files_in(store)
    with pytest.raises(FileNotFoundError):
        writer.add_file("file", "a", lambda path: path.write_bytes(Path("missing").read_bytes()))
    assert files_in(store) == before


def test_wrong_evaluations_and_artifacts_do_not_stop_later_ones(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    right = writer.add_file("file", "right", lambda path: path.write_bytes(b"right"))
    with pytest.raises((TypeError, ValueError)):
        writer.add_artifacts([dataclasses.replace(right, epoch="two")])  # type: ignore[arg-type]
    writer.add_artifacts([right])
    found = Store(store).experiment(writer.experiment.experiment_id).artifacts()
    assert list(found["name"]) == ["right"]


def test_after_its_end_it_may_be_told_more(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, 0, 0.5)])
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()

    writer.append_metrics([metric_record(run, 0, 0.75, split="test")])
    writer.set(notes="evaluated")
    writer.save_experiment()

    opened = Store(store)
    for _ in range(2):
        assert opened.experiment(run).record == writer.experiment
        assert opened.experiment(run).metrics()["value"].tolist() == [0.5, 0.75]
        runs = opened.experiments()
        assert runs["metrics.loss"].tolist() == [0.5]
        assert runs["metrics.test_loss"].tolist() == [0.75]
        writer.close()
    assert not list((store / "log").rglob("*.jsonl"))
    assert pd.read_parquet(store / "experiments")["notes"].tolist() == ["evaluated"]


def test_a_run_that_goes_on(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory(status="interrupted")
    run = writer.experiment.experiment_id
    writer.add_model(MODEL)
    for epoch in range(4):
        writer.append_metrics([metric_record(run, epoch, float(epoch))])
    writer.close()

    resumed = ExperimentWriter(
        store, "digits", dataclasses.replace(writer.experiment, status="running"), resumes=True
    )
    assert Store(store).experiments()["status"].tolist() == ["running"]
    resumed.drop_epochs_from(2)
    opened = Store(store).experiment(run)
    assert opened.metrics()["value"].tolist() == [0.0, 1.0]
    assert Store(store).experiments()["metrics.loss"].tolist() == [1.0]
    resumed.append_metrics([metric_record(run, 2, 20.0)])
    for _ in range(2):
        assert opened.metrics()["value"].tolist() == [0.0, 1.0, 20.0]
        summary = opened.table("metric_summaries").to_pylist()
        assert [(row["count"], row["last"], row["max"]) for row in summary] == [(3, 20.0, 20.0)]
        resumed.set(status="finished")
        resumed.save_experiment()
        resumed.close()
    assert Store(store).experiments()["status"].tolist() == ["finished"]
    curve = pd.read_parquet(store / "metrics").sort_values("epoch")
    assert curve["value"].tolist() == [0.0, 1.0, 20.0]
    assert len(pd.read_parquet(store / "experiments")) == 1
