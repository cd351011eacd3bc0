"""A network that breaks at every request once: nothing is lost by it, and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutting_proxy import CuttingProxy
from modelkb_store import Store
from modelkb_store.errors import StoreUnreachableError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.copying import copy_experiments
from modelkb_store.transfer.spool import send_spool
from modelkb_store.upkeep.checking import check
from small_experiment import record_complete_experiment
from spooled_runs import spooled_runs
from store_rows import Rows, rows_of_readers
from store_server import StoreServer

pytestmark = pytest.mark.slow  # a server is a process


@pytest.fixture(params=["answers", "requests"])
def network(
    request: pytest.FixtureRequest, store: Path, server_factory: Callable[[Path], StoreServer]
) -> Iterator[CuttingProxy]:
    """The way to the server of an empty store."""
    proxy = CuttingProxy(server_factory(store).port, request.param)
    yield proxy
    proxy.close()


def rows_of(root: Path) -> Rows:
    return rows_of_readers(LocalFiles(root))


def test_what_is_sent_arrives_once(network: CuttingProxy, store: Path, tmp_path: Path) -> None:
    spooled_runs(network.address, tmp_path / ".spool", 1, 2)
    failures = 0
    while True:
        try:
            assert send_spool(network.address)
            break
        except StoreUnreachableError:
            failures += 1
            assert failures < 50
    kinds = {name.split("?")[0].rpartition("/")[2] for name in network.cut}
    assert {"0", "end"} <= kinds
    assert any(name.startswith("PUT /api/v1/objects/") for name in network.cut)
    assert failures > 3, "none is tried again at once"

    local = tmp_path / "local"
    for number in (1, 2):
        record_complete_experiment(local, "digits", number)
    found, expected = rows_of(store), rows_of(local)
    for moments in ("artifacts", "checkpoints"):  # tell when files were written
        assert len(found.pop(moments)) == len(expected.pop(moments)) > 0
    assert found == expected
    assert check(LocalFiles(store)) == []
    assert LocalFiles(store).list("log") == []


def test_what_is_copied_and_asked_arrives_once(
    network: CuttingProxy, store: Path, tmp_path: Path
) -> None:
    """Each request is tried again by itself."""
    local = tmp_path / "local"
    for number in (1, 2):
        record_complete_experiment(local, "digits", number)
    source = Store(local).backend.tables
    assert len(copy_experiments(source, open_target(network.address)).new) == 2
    assert any("/imports/" in name for name in network.cut)
    assert rows_of(store) == rows_of(local)
    assert check(LocalFiles(store)) == []

    run = Store(network.address).experiment("run-1")
    run.set_tags(["one", "two"])
    run.set_notes("said once")
    assert any(name.startswith("PATCH") for name in network.cut)
    assert Store(store).experiment("run-1").record == run.record
    assert run.save_weights(tmp_path / "x.weights.h5").stat().st_size > 0
