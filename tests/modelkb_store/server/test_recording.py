"""What is recorded for a server gets there whole and once, whatever becomes of it and of us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.errors import InvalidObjectError, StoreUnreachableError, TokenError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import open_files
from modelkb_store.transfer import spool
from modelkb_store.transfer.spool import send_spool, spool_folder
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.collection import collect
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.tokens import Scope, Tokens
from small_experiment import experiment_record, metric_record, record_complete_experiment
from spooled_runs import spooled_runs
from store_rows import Rows, rows_of_readers
from store_server import StoreServer

pytestmark = pytest.mark.slow  # a server is a process

WAIT_SECONDS = 60.0
# Tells at what moment files were written.
MOMENTS = ("artifacts", "checkpoints")


def rows_of(root: Path) -> Rows:
    rows = rows_of_readers(LocalFiles(root))
    return {table: found for table, found in rows.items() if table not in MOMENTS}


def recorded_here(root: Path, *numbers: int) -> Rows:
    for number in numbers:
        record_complete_experiment(root, "digits", number)
    return rows_of(root)


@pytest.fixture
def server(store: Path, server_factory: Callable[[Path], StoreServer]) -> StoreServer:
    """A server of an empty store."""
    return server_factory(store)


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_run_is_there_as_if_it_was_recorded_there(
    server: StoreServer, store: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        writer = record_complete_experiment(server.address, "digits", number)  # type: ignore[arg-type]
    assert writer.home.wait(WAIT_SECONDS)

    assert rows_of(store) == recorded_here(tmp_path / "local", 1, 2)
    run = Store(server.address).experiment("run-2")
    assert run.save_weights(tmp_path / "x.weights.h5").stat().st_size > 0
    wait_until(lambda: writer.files.list("objects") == [])
    assert LocalFiles(store).list("log") == []
    assert not send_spool(server.address)


def test_a_run_is_followed_while_the_server_comes_and_goes(
    server: StoreServer, store: Path
) -> None:
    writer = ExperimentWriter(server.address, "digits", experiment_record(1))
    run = writer.experiment.experiment_id

    def has(epochs: int) -> bool:
        try:
            found = Store(server.address).metrics()["epoch"].tolist()
        except StoreUnreachableError:
            return False
        assert found == list(range(len(found)))
        return len(found) == epochs

    for epoch in range(6):
        writer.append_metrics([metric_record(run, epoch, float(epoch))])
        if epoch in (1, 3):
            wait_until(lambda e=epoch: has(e + 1))
            assert Store(server.address).experiments()["status"].tolist() == ["running"]
            server.kill()
        if epoch in (2, 4):
            server.start()
    writer.set(status="finished")
    writer.save_experiment()
    begun = time.monotonic()
    writer.close()
    assert time.monotonic() - begun < 5
    assert writer.home.wait(WAIT_SECONDS)
    assert has(6)
    assert Store(server.address).experiments()["status"].tolist() == ["finished"]
    assert LocalFiles(store).list("log") == []


def test_what_is_left_is_pushed(
    store: Path, tmp_path: Path, server_factory: Callable[[Path], StoreServer]
) -> None:
    server = server_factory(store)
    server.kill()
    address = f"mkb_any@{server.address.removeprefix('http://')}"
    folder = spooled_runs(server.address, tmp_path / ".spool", 1, 2)
    assert folder == spool_folder(f"http://{address}")
    with pytest.raises(StoreUnreachableError):
        send_spool(server.address)
    server.start()

    push = [sys.executable, "-m", "modelkb_viewer", "push", server.address]
    pushed = subprocess.run(
        push, capture_output=True, text=True, check=False, cwd=tmp_path / ".spool"
    )
    assert pushed.stdout == f"What waited for {server.address} is sent.\n", pushed.stderr
    assert not send_spool(server.address)
    assert rows_of(store) == recorded_here(tmp_path / "local", 1, 2)
    # Where all that is recorded goes there, too.
    environment = {**os.environ, "MODELKB_STORE": server.address}
    again = subprocess.run(push, capture_output=True, text=True, check=True, env=environment)
    assert again.stdout == f"Nothing waits for {server.address}.\n"


def test_weights_are_whole_though_the_server_has_collected_those_of_an_earlier_run(
    server: StoreServer, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = record_complete_experiment(server.address, "digits", 1)  # type: ignore[arg-type]
    assert first.home.wait(WAIT_SECONDS)
    backend = Store(server.address).backend
    backend.delete(first.experiment.experiment_id)
    assert collect(LocalFiles(store), grace_seconds=-1).objects > 0
    monkeypatch.setattr(spool, "_SURELY_THERE_SECONDS", 0.0)
    second = record_complete_experiment(server.address, "digits", 2)  # type: ignore[arg-type]
    assert second.home.wait(WAIT_SECONDS)

    run = Store(server.address).experiment("run-2")
    assert run.save_weights(tmp_path / "x.weights.h5").stat().st_size > 0
    assert check(LocalFiles(store)) == []


def test_tokens_say_who_may_record(server: StoreServer, store: Path, tmp_path: Path) -> None:
    tokens = Tokens(LocalFiles(store))
    _, reader = tokens.create("reader", Scope.READ)
    _, of_zoo = tokens.create("zoo", Scope.WRITE, "zoo")
    _, of_all = tokens.create("all", Scope.WRITE)
    host = server.address.removeprefix("http://")
    with pytest.raises(TokenError, match="MODELKB_TOKEN"):
        Store(server.address).experiments()

    spooled_runs(server.address, tmp_path / ".spool", 1, 1)
    for token, said in ((of_zoo, "'zoo' alone"), (reader, "scope `write`")):
        with pytest.raises(TokenError, match=said):
            send_spool(f"http://{token}@{host}")
    assert send_spool(f"http://{of_all}@{host}")
    assert len(Store(f"http://{reader}@{host}").experiment_ids()) == 1
    assert Store(f"http://{of_zoo}@{host}").experiment_ids() == []
    assert of_all not in repr(Store(f"http://{of_all}@{host}"))


def test_files_are_what_their_names_say(server: StoreServer, store: Path, tmp_path: Path) -> None:
    record_complete_experiment(tmp_path / "local")
    source, target = LocalFiles(tmp_path / "local"), open_files(server.address)
    for info in source.list("objects"):
        sent = tmp_path / "sent"
        sent.write_bytes(source.read(info.path)[: info.size_bytes // 2])
        with pytest.raises(InvalidObjectError, match=info.path):
            target.write_file(info.path, sent)
        sent.write_bytes(source.read(info.path))
        with pytest.raises(InvalidObjectError):
            target.write_file(info.path[:-6] + "000000", sent)
        assert not target.exists(info.path)
        target.write_file(info.path, sent)
        assert target.read(info.path) == source.read(info.path)
        assert not sent.exists()
    assert len(LocalFiles(store).list("objects")) == 3
