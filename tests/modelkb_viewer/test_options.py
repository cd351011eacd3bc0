from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment
from small_experiment import record_complete_experiment

Modelkb = Callable[..., Any]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A second store, with an experiment of another name."""
    record_complete_experiment(tmp_path / "other", number=2)
    return tmp_path / "other"


@pytest.mark.usefixtures("recorded_experiment")
def test_the_store_beside_the_user_is_the_default(modelkb: Modelkb) -> None:
    assert [row["name"] for row in modelkb("ls", "--json").json] == ["run-1"]


@pytest.mark.usefixtures("recorded_experiment")
def test_the_environment_goes_before_the_default(
    modelkb: Modelkb, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(other))

    assert [row["name"] for row in modelkb("ls", "--json").json] == ["run-2"]


@pytest.mark.usefixtures("recorded_experiment")
def test_the_option_goes_before_the_environment(
    modelkb: Modelkb, store: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(other))

    assert [row["name"] for row in modelkb("ls", "--json", "--store", store).json] == ["run-1"]


def test_every_command_reads_the_environment(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))
    (store.parent / "elsewhere").mkdir()
    monkeypatch.chdir(store.parent / "elsewhere")

    ended = modelkb("show", recorded_experiment.id, "--json")
    assert ended.json["experiment_id"] == recorded_experiment.id


def test_the_default_is_told(modelkb: Modelkb) -> None:
    text = " ".join(modelkb("ls", "--help").output.split())

    assert "[default: $MODELKB_STORE, else ./modelkb]" in text
