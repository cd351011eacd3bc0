from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelkb_store import Store
from small_experiment import KERNEL, record_complete_experiment, write_weights

Modelkb = Callable[..., Any]


def test_experiments_come_from_another_store(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number in (1, 2):
        record_complete_experiment(source, "digits", number)
    record_complete_experiment(source, "cats", 3)
    ended = modelkb("pull", source, "0000000002")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert f"1 new and 0 changed experiments are now in {store} (" in ended.output
    assert list(Store(store).experiments()["name"]) == ["run-2"]

    told = modelkb("pull", source, "--project", "digits", "--json").json
    assert (len(told["new"]), told["unchanged"]) == (1, 1)
    assert (told["source"], told["target"]) == (str(source), str(store))
    modelkb("pull", source)
    assert list(Store(store).experiments()["name"]) == ["run-1", "run-2", "run-3"]


def test_what_has_changed_comes_again(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    writer = record_complete_experiment(tmp_path / "source")
    modelkb("pull", tmp_path / "source")
    writer.set(tags=("best",))
    writer.save_experiment()
    writer.add_checkpoint("epoch", write_weights, epoch=1)
    writer.close()
    assert "0 new and 1 changed" in modelkb("pull", tmp_path / "source").output
    experiment = Store(store).experiment("run-1")
    assert experiment.record.tags == ("best",)
    assert sorted(experiment.checkpoints()["kind"]) == ["end", "epoch"]
    assert experiment.save_weights(tmp_path / "x.weights.h5", 1).stat().st_size > KERNEL.nbytes


def test_a_store_that_is_not_there(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    ended = modelkb("pull", tmp_path / "nowhere")
    assert ended.exit_code == 1
    assert ended.errors.startswith("modelkb: No ModelKB store")
    assert not store.exists()


def test_where_nothing_can_be_read_no_store_is_made(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("pull", "http://127.0.0.1:1")
    assert ended.exit_code != 0
    assert "127.0.0.1:1" in ended.errors
    assert not store.exists()
