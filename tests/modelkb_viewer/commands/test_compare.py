from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweep import record_run, record_sweep

Run = Callable[..., Any]


@pytest.fixture
def sweep(store: Path) -> list[str]:
    """The ids of three runs."""
    return record_sweep(store, count=3)


def test_what_differs_is_shown(modelkb: Run, store: Path, sweep: list[str]) -> None:
    printed = modelkb("compare", sweep[0][-10:], "run-1001", "--store", store).output
    (rate,) = [line for line in printed.splitlines() if line.startswith(" learning_rate")]
    assert rate.split() == ["learning_rate", "0.001", "0.002"]
    best = next(
        line for line in printed.splitlines() if " best " in line and "val_accuracy" in line
    )
    assert best.split() == ["val_accuracy", "best", "0.589*", "0.513"]
    assert "Layers of run-1001 against run-1000: 1 layers are the same" in printed
    assert "Keras version" not in printed
    assert "val_loss" not in printed


def test_all_is_shown_on_request(modelkb: Run, store: Path, sweep: list[str]) -> None:
    printed = modelkb("compare", *sweep[:2], "--all", "--store", store).output
    assert "keras version" in printed
    assert "val_loss" in printed


def test_json_has_all(modelkb: Run, store: Path, sweep: list[str]) -> None:
    found = modelkb("compare", *sweep, "--json", "--store", store).json
    assert [each["label"] for each in found["experiments"]] == ["run-1000", "run-1001", "run-1002"]
    sizes = next(each for each in found["hyperparameters"] if each["name"] == "batch_size")
    assert sizes == {"name": "batch_size", "values": [16, 32, 16], "differs": True}
    assert len(found["architectures"]) == 2
    assert found["scripts"] == []


def test_scripts_are_compared_on_request(modelkb: Run, store: Path, sweep: list[str]) -> None:
    ended = modelkb("compare", *sweep[:2], "--scripts", "--store", store)
    assert ended.exit_code == 0
    assert "Scripts of run-1001 against run-1000" in ended.output


def test_one_without_a_model_is_compared_as_far_as_it_goes(
    modelkb: Run, store: Path, sweep: list[str]
) -> None:
    bare = record_run(store, "sweep", 9, model_id=None, architecture_id=None, environment_id=None)
    printed = modelkb("compare", sweep[0], bare, "--store", store).output
    assert "has no layer table" in printed


@pytest.mark.parametrize("named", [["{0}"], ["{0}", "{0}"], ["{0}", "nothing"]])
def test_less_than_two_are_refused(
    modelkb: Run, store: Path, sweep: list[str], named: list[str]
) -> None:
    ended = modelkb("compare", *(each.format(sweep[0]) for each in named), "--store", store)
    assert ended.exit_code == 1
    assert ended.errors.startswith("modelkb: ")
