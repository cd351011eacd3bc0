from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelkb_store import Experiment, Store

Modelkb = Callable[..., Any]


def test_a_store_that_is_whole(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path
) -> None:
    ended = modelkb("check", "--store", store)

    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output == f"{store} is whole.\n"
    assert modelkb("check", "--json").json == {
        "store": str(store),
        "repaired": [],
        "findings": [],
    }


def test_findings(modelkb: Modelkb, recorded_experiment: Experiment, store: Path) -> None:
    path = next((store / "objects/files").glob("*/*"))
    path.write_bytes(b"x")

    ended = modelkb("check")

    assert ended.exit_code == 1
    name = path.relative_to(store).as_posix()
    assert f"{name}: its size is 1 bytes instead of 10." in ended.output
    assert "What can be done: " in ended.output
    assert ended.output.endswith(f"1 thing wrong in {store}.\n")
    as_json = modelkb("check", "--json")
    assert as_json.exit_code == 1
    (finding,) = as_json.json["findings"]
    assert (finding["path"], finding["kind"]) == (name, "damaged")
    assert finding["ids"] == [recorded_experiment.id]


def test_repair(modelkb: Modelkb, recorded_experiment: Experiment, store: Path) -> None:
    next((store / "objects/files").glob("*/*")).unlink()

    ended = modelkb("check", "--repair")

    assert ended.exit_code == 0
    assert "Repaired: " in ended.output
    assert ended.output.endswith(f"{store} is whole.\n")
    assert Store(store).experiment(recorded_experiment.id).record.problems


def test_no_store(modelkb: Modelkb) -> None:
    ended = modelkb("check")

    assert ended.exit_code == 1
    assert "No ModelKB store" in ended.errors
