"""Experiments are copied to a server and from it, whole and once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store import CorruptFileError, Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.copying import Copied, copy_experiments
from modelkb_store.upkeep.checking import check
from modelkb_viewer.main import modelkb
from small_experiment import record_complete_experiment
from store_rows import rows_of_readers
from store_server import StoreServer

pytestmark = pytest.mark.slow  # a server is a process


def copy(source: str | Path, target: str | Path) -> Copied:
    return copy_experiments(Store(source).backend.tables, open_target(str(target)))


def test_there_and_back(
    store: Path, tmp_path: Path, server_factory: Callable[[Path], StoreServer]
) -> None:
    for number, project in ((1, "digits"), (2, "cats & dogs"), (3, "digits")):
        record_complete_experiment(tmp_path / "here", project, number)
    here = LocalFiles(tmp_path / "here")
    server = server_factory(store)

    copied = copy(here.root, server.address)
    assert (len(copied.new), copied.unchanged) == (3, 0)
    assert copied.object_bytes == sum(info.size_bytes for info in here.list("objects"))
    assert rows_of_readers(LocalFiles(store)) == rows_of_readers(here)
    assert check(LocalFiles(store)) == []
    assert copy(here.root, server.address) == Copied((), (), 3, (), 0)

    changed = Store(here.root).experiment("run-2")
    changed.set_tags(["best"])
    Store(server.address).backend.delete(Store(server.address).experiment("run-3").id)
    copied = copy(here.root, server.address)
    assert copied.changed == (changed.id,)
    assert len(copied.new) == 1
    assert rows_of_readers(LocalFiles(store)) == rows_of_readers(here)

    assert len(copy(server.address, tmp_path / "back").new) == 3
    assert rows_of_readers(LocalFiles(tmp_path / "back")) == rows_of_readers(here)
    assert check(LocalFiles(tmp_path / "back")) == []


def test_what_is_damaged_is_not_copied(
    store: Path, tmp_path: Path, server_factory: Callable[[Path], StoreServer]
) -> None:
    """What a server sends is checked against its hash here, too."""
    record_complete_experiment(store)
    server = server_factory(store)
    for number, info in enumerate(LocalFiles(store).list("objects")):
        path = store / info.path
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(CorruptFileError):
            copy(server.address, tmp_path / f"back-{number}")
        assert Store(tmp_path / f"back-{number}").experiment_ids() == []
        path.write_bytes(content)
        assert len(copy(server.address, tmp_path / f"back-{number}").new) == 1
    assert number == 2


def test_the_commands(
    store: Path,
    tmp_path: Path,
    server_factory: Callable[[Path], StoreServer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    record_complete_experiment(tmp_path / "here")
    server = server_factory(store)
    for line in (
        ["push", server.address, "run-1", "--store", str(tmp_path / "here"), "--json"],
        ["pull", server.address, "--store", str(tmp_path / "back"), "--json"],
    ):
        modelkb(line, standalone_mode=False)
        assert len(json.loads(capsys.readouterr().out)["new"]) == 1
    found, expected = (LocalFiles(tmp_path / name) for name in ("back", "here"))
    assert rows_of_readers(found) == rows_of_readers(expected)
