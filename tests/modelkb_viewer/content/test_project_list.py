from __future__ import annotations

from pathlib import Path

from modelkb_store import Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_viewer.content.project_list import list_projects
from running_experiment import running_experiment
from sweep import record_run, record_sweep


def test_projects_with_what_they_reached(store: Path) -> None:
    record_sweep(store, "older", 2)
    record_sweep(store, "newer", 12)

    projects = list_projects(Store(store))

    assert list(projects["project"]) == ["newer", "older"]
    assert list(projects["experiments"]) == [12, 2]
    assert list(projects["running"]) == [0, 0]
    assert list(projects["best_metric"]) == ["val_accuracy"] * 2
    # Run 9 is the best of those with Adam: 0.95 * (0.5 + 20 * 0.010 + 0.1).
    assert projects["best"].round(6).tolist() == [0.76, 0.95 * 0.62]
    assert projects["owner"].tolist() == ["ada", "ada"]
    assert projects["last_activity"].is_monotonic_decreasing


def test_what_runs_is_counted(store: Path) -> None:
    record_sweep(store, count=1)
    with running_experiment(store, "sweep"):
        projects = list_projects(Store(store))

    assert projects[["experiments", "running"]].to_numpy().tolist() == [[2, 1]]


def test_projects_are_searched_by_all_words(store: Path) -> None:
    record_run(store, "digits cnn", 1)
    record_run(store, "letters", 2)
    opened = Store(store)

    assert list(list_projects(opened, "CNN ada")["project"]) == ["digits cnn"]
    assert list(list_projects(opened, "val_acc")["project"]) == ["letters", "digits cnn"]
    assert list_projects(opened, "cnn letters").empty
    assert list_projects(opened, "[(").empty


def test_an_empty_store_has_no_projects(store: Path) -> None:
    create_store(LocalFiles(store))

    assert list_projects(Store(store)).empty
