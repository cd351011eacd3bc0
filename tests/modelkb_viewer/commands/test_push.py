from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from modelkb_store import Store
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, record_complete_experiment

Modelkb = Callable[..., Any]


@pytest.fixture(autouse=True)
def _two_runs(store: Path) -> None:
    record_complete_experiment(store, "digits", 1)
    record_complete_experiment(store, "cats", 2)


def names_in(store: Path) -> list[str]:
    return sorted(Store(store).experiments()["name"])


def values_in(path: Path) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: values.update(
                {name: item[()].tobytes()} if isinstance(item, h5py.Dataset) else {}
            )
        )
    return values


def test_all_are_copied_once(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    ended = modelkb("push", target)
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output.startswith(f"2 new and 0 changed experiments are now in {target} (")
    assert names_in(target) == ["run-1", "run-2"]

    again = modelkb("push", target)
    assert "0 new and 0 changed" in again.output
    assert "; 2 were there already." in again.output
    for each in Store(store).experiments()["experiment_id"]:
        one, other = (Store(place).experiment(each) for place in (store, target))
        assert other.record == one.record
        assert other.metrics().equals(one.metrics())
        # Not byte by byte: HDF5 writes down in which second a file was made.
        expected = values_in(one.save_weights(tmp_path / "own.weights.h5"))
        assert values_in(other.save_weights(tmp_path / "copied.weights.h5")) == expected != {}


def test_some_are_copied(modelkb: Modelkb, tmp_path: Path) -> None:
    modelkb("push", tmp_path / "one", "0000000002")
    assert names_in(tmp_path / "one") == ["run-2"]
    modelkb("push", tmp_path / "other", "--project", "digits")
    assert names_in(tmp_path / "other") == ["run-1"]


def test_one_that_runs_is_left_for_later(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(3))
    told = modelkb("push", tmp_path / "target", "--json").json
    assert (len(told["new"]), told["running"]) == (2, [writer.experiment.experiment_id])
    assert told["target"] == str(tmp_path / "target")
    assert "1 are still running" in modelkb("push", tmp_path / "target").output
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    assert "1 new" in modelkb("push", tmp_path / "target").output


def test_what_is_wrong_is_one_line(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    for arguments, text in (
        ([store], "another store"),
        ([tmp_path / "target", "nothing"], "nothing"),
        ([tmp_path / "target", "--store", tmp_path / "nowhere"], "No ModelKB store"),
    ):
        ended = modelkb("push", *arguments)
        assert ended.exit_code == 1
        assert text in ended.errors
        assert "Traceback" not in ended.errors
    assert not (tmp_path / "target").exists()
