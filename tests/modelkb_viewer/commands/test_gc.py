from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment

Modelkb = Callable[..., Any]


@pytest.fixture
def deleted(modelkb: Modelkb, recorded_experiment: Experiment, store: Path) -> str:
    """The id of an experiment that was deleted long ago."""
    modelkb("delete", recorded_experiment.id, "--yes")
    for path in store.rglob("*"):
        if path.is_file():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    return recorded_experiment.id


def test_a_dry_run_and_a_true_one(modelkb: Modelkb, deleted: str, store: Path) -> None:
    would = modelkb("gc", "--dry-run")
    assert (store / f"tombstones/{deleted}.json").exists()

    ended = modelkb("gc")

    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output == would.output.replace("would be removed", "removed")
    assert ended.output.startswith("1 experiments, ")
    assert not list((store / "objects").rglob("*.h5"))
    assert modelkb("check").exit_code == 0
    assert modelkb("delete", deleted, "--undo").exit_code == 1


def test_json(modelkb: Modelkb, deleted: str, store: Path) -> None:
    facts = modelkb("gc", "--json").json

    assert facts["store"] == str(store)
    assert facts["experiments"] == [deleted]
    assert facts["objects"] == 3
    assert facts["dry_run"] is False


def test_the_grace(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    modelkb("delete", recorded_experiment.id, "--yes")

    assert modelkb("gc", "--json").json["objects"] == 0
    assert modelkb("gc", "--grace", "0s", "--json").json["objects"] == 3


@pytest.mark.parametrize("grace", ["1", "h", "-1h", "1 week", ""])
def test_a_grace_that_is_no_time(modelkb: Modelkb, grace: str) -> None:
    ended = modelkb("gc", "--grace", grace)

    assert ended.exit_code == 2
    assert "such as 30s" in ended.errors
