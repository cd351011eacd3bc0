from __future__ import annotations

from typing import Any

import pytest

from modelkb_store import Experiment, Store
from modelkb_viewer.content.checkpoint_choices import checkpoint_choices, parse_checkpoint
from small_experiment import write_weights


def test_the_default_checkpoint_comes_first(writer_factory: Any) -> None:
    writer = writer_factory()
    writer.add_checkpoint("initial", write_weights)
    for epoch in (0, 1):
        writer.add_checkpoint("epoch", write_weights, epoch=epoch)
    writer.add_checkpoint("best", write_weights, epoch=1, metric="val_loss", value=0.123456)
    writer.add_checkpoint("end", write_weights)
    writer.save_experiment()
    experiment = Store(writer.home.files.root).experiment(writer.experiment.experiment_id)
    assert checkpoint_choices(experiment) == {
        "end": "End of the run",
        "best": "Best (epoch 1, val_loss 0.1235)",
        "epoch-1": "Epoch 1",
        "epoch-0": "Epoch 0",
        "initial": "Before the training",
    }


def test_one_checkpoint(recorded_experiment: Experiment) -> None:
    assert list(checkpoint_choices(recorded_experiment)) == ["end"]


@pytest.mark.parametrize(
    ("name", "expected"), [("end", "end"), ("epoch-12", 12), (None, None), ("best", "best")]
)
def test_names_in_addresses(name: str | None, expected: str | int | None) -> None:
    assert parse_checkpoint(name) == expected
