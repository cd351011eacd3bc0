from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.recent_experiments import recent_experiments, running_count
from running_experiment import running_experiment
from small_experiment import experiment_record, metric_record
from sweep import record_run, record_sweep


def test_the_newest_come_first_with_their_most_telling_metric(store: Path) -> None:
    ids = record_sweep(store, count=3)

    recent = recent_experiments(Store(store), limit=2)

    assert list(recent["experiment_id"]) == [ids[2], ids[1]]
    assert list(recent["status"]) == ["✓ finished"] * 2
    assert list(recent["epochs"]) == ["4", "4"]
    assert list(recent["metric"]) == ["val_accuracy"] * 2
    assert recent["value"].round(4).tolist() == [0.95 * 0.56, 0.95 * 0.54]
    assert list(recent["duration_seconds"]) == ["32.0s", "31.0s"]


def test_what_runs_is_on_top_with_its_progress(store: Path) -> None:
    with running_experiment(store, "long", number=1) as run:
        record_run(store, "sweep", 2)
        opened = Store(store)
        before = recent_experiments(opened)
        run.end_epoch()
        after = recent_experiments(opened)
        assert running_count(opened) == running_count(opened, "long") == 1
        assert running_count(opened, "sweep") == 0

    assert list(before["project"]) == ["long", "sweep"]
    assert list(before["status"]) == ["▶ running", "✓ finished"]
    assert before["epochs"][0] == "1 of 10"
    assert after["epochs"][0] == "2 of 10"
    assert after["value"][0] == pytest.approx(0.49)
    assert recent_experiments(opened)["status"].tolist() == ["✓ finished"] * 2


def test_projects_of_other_metrics(store: Path) -> None:
    writer = ExperimentWriter(store, "prices", experiment_record(7))
    run = experiment_record(7).experiment_id
    writer.append_metrics([metric_record(run, 0, 3.0, split="validation", metric="mae")])
    writer.close()
    record_run(store, "sweep", 1)
    ExperimentWriter(store, "nothing", experiment_record(8)).close()

    recent = recent_experiments(Store(store)).set_index("project")

    assert recent["metric"].to_dict() == {
        "prices": "val_mae",
        "sweep": "val_accuracy",
        "nothing": None,
    }
    assert recent["value"]["prices"] == 3.0


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("run-1001", 1),
        ("SWEEP ada", 3),
        ("baseline", 1),
        ("finished 1002", 1),
        ("nothing", 0),
        ('it\'s (not) a "query"', 0),
    ],
)
def test_all_words_are_searched_for(store: Path, search: str, found: int) -> None:
    record_sweep(store, count=3)

    assert len(recent_experiments(Store(store), search)) == found
