from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.errors import ArtifactNotFoundError
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.architecture_difference import (
    COLUMNS,
    architecture_difference,
    difference_in_words,
)
from small_experiment import ARCHITECTURE, LAYER, experiment_record


def record_model(store: Path, number: int, *units: int) -> Experiment:
    """Record a run of dense layers with so many units."""
    architecture_id = f"{number:02d}" * 16
    layers = [
        replace(
            LAYER,
            architecture_id=architecture_id,
            position=position,
            path=f"dense_{position}",
            name=f"dense_{position}",
            config=json.dumps({"units": count}),
        )
        for position, count in enumerate(units)
    ]
    writer = ExperimentWriter(store, "models", experiment_record(number))
    if layers:
        writer.add_architecture(replace(ARCHITECTURE, architecture_id=architecture_id), layers)
    known = architecture_id if layers else None
    writer.set(status="finished", architecture_id=known)
    writer.save_experiment()
    writer.close()
    return Store(store).experiment(f"run-{number}")


def test_layers_added_and_changed(store: Path) -> None:
    first, second = record_model(store, 1, 8, 2), record_model(store, 2, 8, 4, 3)
    frame = architecture_difference(first, second)
    assert list(frame.columns) == COLUMNS
    assert difference_in_words(frame) == "1 layers are the same, 1 changed, 1 added, 0 removed."
    changed = frame[frame["change"] == "≠ changed"].iloc[0]
    assert (changed["setting"], changed["first_value"]) == ("units", "2")


def test_a_model_without_layer_table_is_said(store: Path) -> None:
    first, second = record_model(store, 1, 8), record_model(store, 2)
    with pytest.raises(ArtifactNotFoundError, match="layer table"):
        architecture_difference(first, second)
