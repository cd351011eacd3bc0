"""``modelkb import``; what is read of each tool is tested in ``exchange/importing``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlflow_stores import make_database
from modelkb_store import Store
from modelkb_viewer.exchange.importing.importers import IMPORTERS, importer

Modelkb = Callable[..., Any]


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_importer_is_there(name: str) -> None:
    assert callable(importer(name))


def test_runs_come_once(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old" / "mlflow.db")
    ended = modelkb("import", path.parent, "--from", "mlflow")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output == f"2 runs imported into {store}.\n"
    listed = modelkb("ls", "--json").json
    assert {row["project"] for row in listed} == {"digits"}
    assert {row["name"] for row in listed} == {"good-hare-1", "2" * 32}

    again = modelkb("import", path, "--from", "mlflow", "--json").json
    assert (again["new"], again["unchanged"], again["damaged"]) == ([], 2, [])
    told = modelkb("import", path, "--from", "mlflow", "--project", "mine")
    assert told.output.startswith("2 runs imported")
    modelkb("delete", listed[0]["experiment_id"], "--yes")
    told = modelkb("import", path, "--from", "mlflow")
    assert "0 runs imported" in told.output
    assert "1 were there already; 1 have been deleted here: `modelkb delete --undo " in told.output
    assert len(Store(store).experiments()) == 3


def test_a_damaged_one_is_told_of(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    for name, text in (("bad", "x,1"), ("good", "0,1")):
        (tmp_path / f"{name}.csv").write_text(f"epoch,loss\n{text}\n")
    ended = modelkb("import", tmp_path, "--from", "csv", "--project", "csv")
    assert ended.exit_code == 1
    assert "1 run imported" in ended.output
    assert ended.errors.startswith(f"modelkb: {tmp_path / 'bad.csv'} is damaged")
    assert list(Store(store).experiments()["name"]) == ["good"]


def test_what_is_wrong_is_one_line(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    make_database(tmp_path / "mlflow.db")
    for arguments, code, text in (
        (["--from", "tensorboard"], 1, "holds no runs of TensorBoard"),
        (["--from", "mlflow", "--project", " a"], 1, "Invalid project name"),
        (["--from", "excel"], 2, "'excel' is not one of"),
    ):
        ended = modelkb("import", tmp_path, *arguments)
        assert (ended.exit_code, ended.output) == (code, "")
        assert text in ended.errors
    assert modelkb("import", tmp_path / "nowhere", "--from", "csv").exit_code == 2
    assert not store.exists()


def test_a_library_that_is_missing(
    modelkb: Modelkb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "events.out.tfevents.1").touch()
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    ended = modelkb("import", tmp_path, "--from", "tensorboard")
    assert ended.exit_code == 1
    assert "`pip install tensorboard`" in ended.errors
