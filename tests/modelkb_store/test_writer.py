from __future__ import annotations

import dataclasses
import hashlib
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
    STARTED,
    experiment_record,
    metric_record,
    read_records,
    record_complete_experiment,
)

WriterFactory = Callable[..., ExperimentWriter]


def files_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def experiment_on_disk(writer: ExperimentWriter) -> ExperimentRecord:
    path = writer.layout.table_file("experiments", writer.project, writer.experiment.experiment_id)
    (record,) = read_records(path, "experiments", ExperimentRecord)
    return record


def test_an_experiment_is_on_disk_when_it_begins(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory("cats & dogs")

    experiment_id = writer.experiment.experiment_id
    assert files_in(store) == [
        f"experiments/project=cats%20%26%20dogs/{experiment_id}.parquet",
        "format.json",
        "projects/project=cats%20%26%20dogs/project.parquet",
    ]
    assert experiment_on_disk(writer) == writer.experiment
    assert writer.experiment.status == "running"


def test_the_first_experiment_makes_the_project(store: Path, writer_factory: WriterFactory) -> None:
    writer_factory(owner="ada", started_at=STARTED)
    writer_factory(owner="grace", started_at=STARTED + timedelta(days=1))

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
    assert experiment_on_disk(writer) == before
    writer.save_experiment()

    expected = dataclasses.replace(before, status="finished", tags=("a", "b"), epochs_completed=3)
    assert experiment_on_disk(writer) == writer.experiment == expected


def test_an_unknown_field_cannot_be_set(writer_factory: WriterFactory) -> None:
    with pytest.raises(TypeError, match="colour"):
        writer_factory().set(colour="red")


def test_metrics_are_on_disk_at_once(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id

    for epoch in range(3):
        writer.append_metrics([metric_record(experiment_id, epoch, epoch / 2)])

        assert pd.read_parquet(store / "metrics")["value"].tolist() == [
            number / 2 for number in range(epoch + 1)
        ]


def test_batch_metrics_wait_for_the_flush(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id

    writer.append_batch_metrics([metric_record(experiment_id, 0, 0.5)])
    assert not (store / "batch_metrics").exists()
    writer.flush()

    assert pd.read_parquet(store / "batch_metrics")["value"].tolist() == [0.5]
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

    assert pd.read_parquet(store / "hyperparameters")["value"].tolist() == ["2"]


def test_what_is_shared_is_stored_once(store: Path, writer_factory: WriterFactory) -> None:
    first, second = writer_factory(), writer_factory()
    later = dataclasses.replace(ENVIRONMENT, created_at=STARTED + timedelta(days=1))

    first.add_environment(ENVIRONMENT)
    (path,) = (store / "environments").rglob("*.parquet")
    before = path.stat().st_ino
    second.add_environment(later)

    assert [entry.name for entry in path.parent.iterdir()] == [
        f"{ENVIRONMENT.environment_id}.parquet"
    ]
    assert path.stat().st_ino == before
    (read,) = read_records(path, "environments", EnvironmentRecord)
    assert read.created_at == STARTED


def test_what_is_shared_is_in_each_project(store: Path, writer_factory: WriterFactory) -> None:
    for project in ("cats", "dogs"):
        writer_factory(project).add_environment(ENVIRONMENT)

    assert len(list((store / "environments").rglob("*.parquet"))) == 2


def test_an_architecture_is_stored_once_and_its_layers_by_project(
    store: Path, writer_factory: WriterFactory
) -> None:
    paths = {
        writer_factory(project).add_architecture(ARCHITECTURE, [LAYER])
        for project in ("cats", "dogs", "cats")
    }

    expected = f"objects/architectures/a1/{ARCHITECTURE.architecture_id}.h5"
    assert paths == {expected}
    assert [name for name in files_in(store) if name.endswith(".h5")] == [expected]
    layers = sorted((store / "layers").rglob("*.parquet"))
    assert [path.parent.name for path in layers] == ["project=cats", "project=dogs"]
    assert read_records(layers[0], "layers", LayerRecord) == [LAYER]


def test_weights_are_named_by_content(store: Path, writer_factory: WriterFactory) -> None:
    content = bytes(range(256)) * 10_000
    partials = []

    def save(path: Path) -> None:
        partials.append(path)
        path.write_bytes(content)

    writer = writer_factory()
    artifact = writer.add_weights(save)

    sha256 = hashlib.sha256(content).hexdigest()
    assert artifact.experiment_id == writer.experiment.experiment_id
    assert artifact.kind == "weights"
    assert artifact.sha256 == sha256
    assert artifact.size_bytes == len(content)
    assert artifact.path == f"objects/weights/{sha256[:2]}/{sha256}.weights.h5"
    assert (store / artifact.path).read_bytes() == content
    assert partials[0].name.endswith(".weights.h5")
    assert partials[0].name.startswith(".")
    assert not partials[0].exists()


def test_equal_weights_are_one_file(store: Path, writer_factory: WriterFactory) -> None:
    for _ in range(2):
        writer_factory().add_weights(lambda path: path.touch())

    assert len([path for path in (store / "objects").rglob("*") if path.is_file()]) == 1


def test_weights_that_cannot_be_saved_leave_nothing(
    store: Path, writer_factory: WriterFactory
) -> None:
    def save(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        writer_factory().add_weights(save)

    assert [path for path in (store / "objects").rglob("*") if path.is_file()] == []


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
    assert len(list((store / "objects").rglob("*.h5"))) == 2
    assert len(opened.experiment(experiment_record(3).experiment_id).metrics()) == 9


def test_processes_may_record_at_once(store: Path) -> None:
    program = textwrap.dedent(
        """
        import pathlib, sys
        from small_experiment import read_records, record_complete_experiment

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
