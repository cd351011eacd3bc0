"""Exported to TensorBoard, and read by its own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchanged import curves, imported_from
from modelkb_store import Experiment
from modelkb_viewer.exchange.errors import ExportTargetError
from modelkb_viewer.exchange.exporting.tensorboard_log import export, run_folder
from small_experiment import experiment_record

pytest.importorskip("tensorboard")


@pytest.fixture(scope="module")
def exported(trained: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("logs")
    return Path(export(trained, str(root), None).place)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    reader: Any = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return {
        tag: [
            (event.step, make_ndarray(event.tensor_proto).item()) for event in reader.Tensors(tag)
        ]
        for tag in reader.Tags()["tensors"]
    }


def test_tensorboard_has_every_point(trained: Experiment, exported: Path) -> None:
    for (split, metric), points in curves(trained, precision=np.float32).items():
        assert scalars(exported / split)[f"epoch_{metric}"] == points
    assert set(scalars(exported / "validation")) == {"epoch_loss", "epoch_accuracy"}


def test_what_came_back_is_the_same(trained: Experiment, exported: Path, store: Path) -> None:
    back = imported_from("tensorboard", exported.parent, store, "clouds")
    assert curves(back) == curves(trained, precision=np.float32)
    assert back.hyperparameters() == trained.hyperparameters()
    assert back.record.started_at == trained.record.started_at
    assert back.record.ended_at == trained.record.ended_at
    assert back.record.status == "finished"
    assert back.record.name == exported.name


def test_a_second_time_would_double_the_curves(trained: Experiment, exported: Path) -> None:
    with pytest.raises(ExportTargetError, match=exported.name):
        export(trained, str(exported.parent), None)


def test_a_file_is_no_log_folder(trained: Experiment, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("mine")
    with pytest.raises(ExportTargetError, match=r"model\.keras"):
        export(trained, str(tmp_path / "model.keras"), None)
    assert (tmp_path / "model.keras").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("digits-0000000001", "digits-0000000001"),
        ("first", "first-0000000001"),
        ("../../up", "up-0000000001"),
        ("..", "0000000001"),
    ],
)
def test_folders_have_names_that_people_know(name: str, folder: str) -> None:
    assert run_folder(experiment_record(name=name)) == folder
