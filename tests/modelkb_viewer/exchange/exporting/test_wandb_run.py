"""Exported to an offline run of Weights & Biases, and read by the messages of its library."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from exchanged import curves
from modelkb_store import Experiment
from modelkb_store.history_names import history_name
from modelkb_viewer.exchange.exporting.wandb_run import export
from wandb_records import OfflineRun, read_offline_run

pytestmark = [
    pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed"),
    pytest.mark.slow,  # it starts a process of its own
    pytest.mark.filterwarnings("ignore"),  # of wandb, about itself
]


@pytest.fixture(scope="module")
def exported(trained: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wandb")
    done = export(trained, str(folder), None)
    assert not done.was_there
    return Path(done.place)


@pytest.fixture
def found(exported: Path) -> OfflineRun:
    return read_offline_run(exported)


def test_the_run_is_whole(trained: Experiment, found: OfflineRun) -> None:
    assert (found.run.run_id, found.run.display_name) == (trained.id, "first")
    assert found.run.project == "clouds & more"
    assert found.run.notes == trained.record.notes
    assert list(found.run.tags) == list(trained.record.tags)
    config = {name: value for name, value in found.config.items() if name != "_wandb"}
    assert config == trained.hyperparameters()
    assert found.exit_code == 0


def test_every_point_is_there(trained: Experiment, found: OfflineRun) -> None:
    for (split, metric), points in curves(trained).items():
        name = history_name(split, metric)
        assert [(row["_step"], row[name]) for row in found.history] == points
    times = [row["_timestamp"] for row in found.history]
    assert times == sorted({moment.timestamp() for moment in trained.metrics()["wall_time"]})


def test_nothing_of_this_process_is_kept(exported: Path) -> None:
    assert not list((exported / "files").rglob("*.py"))
    assert not (exported / "files" / "wandb-metadata.json").exists()
    assert not (exported / "files" / "requirements.txt").exists()


def test_once_is_enough(trained: Experiment, exported: Path) -> None:
    done = export(trained, str(exported.parents[1]), None)
    assert (done.was_there, Path(done.place)) == (True, exported)
