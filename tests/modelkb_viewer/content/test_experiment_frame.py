from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.records import Status
from modelkb_viewer.content.experiment_frame import experiment_frame, label_of, status_text
from running_experiment import running_experiment
from sweep import record_run


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("params.optimizer.momentum", "optimizer.momentum"),
        ("metrics.val_loss", "val_loss"),
        ("started_at", "Started"),
        ("duration_seconds", "Duration"),
        ("parent_experiment_id", "Parent experiment id"),
    ],
)
def test_labels(column: str, label: str) -> None:
    assert label_of(column) == label


def test_every_status_has_a_mark_of_its_own() -> None:
    marks = {status_text(status.value).split()[0] for status in Status}

    assert len(marks) == len(Status)


def test_columns_as_they_are_asked_for(store: Path) -> None:
    record_run(store, "sweep", 0, status="interrupted", epochs_completed=3)
    rows = Store(store).experiment_table()

    frame = experiment_frame(rows, ["epochs", "missing", "tags", "params.optimizer"])

    assert list(frame.columns) == ["epochs", "missing", "tags", "params.optimizer"]
    assert frame["epochs"][0] == "3 of 4"
    assert frame["missing"].isna().all()
    assert list(frame["tags"][0]) == ["baseline"]
    assert frame["params.optimizer"][0] == "adam"


def test_what_runs_has_lasted_until_now(store: Path) -> None:
    with running_experiment(store):
        rows = Store(store).experiment_table()
    now = rows["started_at"][0].as_py() + timedelta(minutes=2, seconds=5)

    frame = experiment_frame(rows, ["status", "duration_seconds"], now)

    assert frame.to_numpy().tolist() == [["▶ running", "0:02:05"]]


def test_no_experiments(store: Path) -> None:
    record_run(store, "sweep", 0)
    rows = Store(store).experiment_table().slice(0, 0)

    assert experiment_frame(rows, ["name", "epochs", "duration_seconds"]).empty
