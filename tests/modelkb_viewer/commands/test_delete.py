from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.writer import ExperimentWriter

Modelkb = Callable[..., Any]


def test_deleted_and_restored(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path
) -> None:
    short = recorded_experiment.id[-10:]

    ended = modelkb("delete", short, "--yes")

    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output == "1 experiment deleted; `modelkb gc` frees the space.\n"
    assert Store(store).experiments().empty
    assert modelkb("delete", short, "--yes").exit_code == 1
    assert modelkb("delete", short, "--undo").output == "1 experiment restored.\n"
    assert len(Store(store).experiments()) == 1


@pytest.mark.parametrize(("answer", "is_left"), [("n\n", True), ("y\n", False), ("", True)])
def test_it_asks(
    modelkb: Modelkb,
    recorded_experiment: Experiment,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    is_left: bool,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    ended = modelkb("delete", recorded_experiment.id)

    assert ended.exit_code == int(is_left)
    assert recorded_experiment.id in ended.errors
    assert len(Store(store).experiments()) == is_left


def test_what_can_be_brought_back_is_listed(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path
) -> None:
    run = recorded_experiment.id
    assert modelkb("delete", "--undo").output == "No experiment is deleted.\n"
    assert modelkb("delete", "--undo", "--json").json == {"store": str(store), "deleted": []}

    modelkb("delete", run, "--yes")

    assert modelkb("delete", "--undo").output == f"{run}\n"
    assert modelkb("delete", "--undo", "--json").json == {"store": str(store), "deleted": [run]}
    assert Store(store).experiments().empty


def test_without_an_id_nothing_is_deleted(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("delete", "--yes")

    assert ended.exit_code == 2
    assert "Missing argument 'ID...'" in ended.errors


def test_json(modelkb: Modelkb, recorded_experiment: Experiment, store: Path) -> None:
    run = recorded_experiment.id

    deleted = modelkb("delete", run, "--yes", "--json").json
    assert deleted == {"store": str(store), "deleted": [run]}
    assert modelkb("delete", run, "--undo", "--json").json == {
        "store": str(store),
        "restored": [run],
    }


def test_a_running_one_is_refused(
    modelkb: Modelkb, writer_factory: Callable[..., ExperimentWriter]
) -> None:
    writer = writer_factory()

    ended = modelkb("delete", writer.experiment.experiment_id, "--yes")

    assert ended.exit_code == 1
    assert "is running" in ended.errors
