"""Trainings record to a server that comes and goes: nothing is lost, and nothing doubled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from commands import MODELKB, errors_of, script_of
from comparable_record import OF_THE_TEXT, Record, everything_in, in_any_order
from modelkb_store import Store
from modelkb_store.errors import ModelKBError, StoreUnreachableError, TokenError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.transfer.spool import send_spool
from modelkb_store.upkeep.checking import check
from modelkb_viewer.tokens import Scope, Tokens
from network_namespaces import two_networks
from store_server import StoreServer
from warm_python import Started, WarmPython

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WAIT_SECONDS = 120.0
# After the epochs 1 and 3 it waits until it may go on.
SCRIPT = """
import os, pathlib, time
import keras
import numpy as np
{before}

keras.utils.set_random_seed(11)
random = np.random.default_rng(0)
x = random.normal(size=(60, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int64")
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dropout(0.25),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
folder = pathlib.Path(os.environ["MEETINGS"])

class Meet(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        (folder / f"epoch-{{epoch}}").touch()
        while epoch in (1, 3) and not (folder / f"go-{{epoch}}").exists():
            time.sleep(0.05)

model.fit(x, y, batch_size=16, epochs=6, validation_split=0.25, verbose=0, callbacks={callbacks})
"""
WAYS = {
    "callback": (
        "from modelkb_callbacks import ModelKB",
        "[ModelKB(store=os.environ['PLACE'], batch_metrics=True), Meet()]",
    ),
    "autolog": (
        "import modelkb_callbacks; modelkb_callbacks.autolog(batch_metrics=True)",
        "[Meet()]",
    ),
    "run": ("", "[Meet()]"),
}


class Training:
    """A training in a process of its own.

    Args:
        python: What forks it; None for one by ``modelkb run``.
        folder: What belongs to it.
        way: How it is recorded.
        place: The store.
        prefix: What the line of ``modelkb run`` begins with.
        environment: Further variables.
    """

    def __init__(
        self,
        python: WarmPython | None,
        folder: Path,
        way: str,
        place: str | Path,
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self._meetings = folder / "meetings"
        self._meetings.mkdir(parents=True)
        before, callbacks = WAYS[way]
        text = SCRIPT.format(before=before, callbacks=callbacks)
        where = {"PLACE": str(place)} if way == "callback" else {"MODELKB_STORE": str(place)}
        variables = {
            **where,
            "MODELKB_PROJECT": way,
            "MEETINGS": str(self._meetings),
            "PYTHONHASHSEED": "0",
            **environment,
        }
        self._started: Started | None = None
        self._process: subprocess.Popen[str] | None = None
        if python is not None:
            self._started = python.start(text, environment=variables)
        else:
            self._process = subprocess.Popen(
                [*prefix, *MODELKB, "run", "--batch-metrics", str(script_of(folder, text))],
                env={**os.environ, **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def wait_for(self, epoch: int) -> None:
        """Return once an epoch is over."""
        wait_until((self._meetings / f"epoch-{epoch}").exists)

    def go_on(self, *epochs: int) -> None:
        """Let it go on where it waits, or will wait."""
        for epoch in epochs:
            (self._meetings / f"go-{epoch}").touch()

    def kill(self) -> None:
        """End it without a word."""
        assert self._started is not None
        os.kill(self._started.process_id, signal.SIGKILL)
        self._started.end()

    def end(self) -> list[str]:
        """Let it come to its end, and return what it complains of."""
        self.go_on(1, 3)
        if self._started is not None:
            done = self._started.end()
        else:
            assert self._process is not None
            output, errors = self._process.communicate(timeout=WAIT_SECONDS)
            done = subprocess.CompletedProcess([], self._process.returncode, output, errors)
        assert done.returncode == 0, done.stderr
        return errors_of(done)


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def has_epochs(place: str | Path, project: str, count: int) -> bool:
    try:
        return Store(place).table("epochs", project).num_rows >= count
    except ModelKBError:
        return False


def push(address: str, **environment: str) -> str:
    """Run ``modelkb push``."""
    done = subprocess.run(
        [*MODELKB, "push", address],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
        cwd=os.environ["MODELKB_SPOOL"],  # where no store is
    )
    return done.stdout or done.stderr


@pytest.fixture(scope="module")
def expected(warm_python: WarmPython, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """What the same training leaves in a local store."""
    folder = tmp_path_factory.mktemp("expected")
    training = Training(warm_python, folder, "callback", folder / "modelkb")
    assert training.end() == []
    record = everything_in(folder / "modelkb", "callback")
    assert len(record["epochs"]) == 6
    assert len(record["batch_metrics"]) == 6 * 3 * 2
    assert len(record["checkpoints"][0]["variable_ids"]) == 4
    return record


@pytest.fixture
def server(store: Path) -> Iterator[StoreServer]:
    """A server of an empty store."""
    made = StoreServer(store)
    made.start()
    yield made
    made.stop()


def assert_same(place: str | Path, project: str, expected: Record, tmp_path: Path) -> None:
    """Everything is there, once: rows, architecture and weights to the bit, which hashes name."""
    without = {"name", "command_line"} if project == "callback" else OF_THE_TEXT
    found = everything_in(place, project, without=without)
    wanted = {
        table: [{k: v for k, v in row.items() if k not in without} for row in rows]
        if table != "layers"
        else rows
        for table, rows in expected.items()
    }
    for table, rows in in_any_order(wanted).items():
        assert in_any_order(found)[table] == rows, table
    (run_id,) = Store(place).experiment_ids(project)
    run = Store(place).experiment(run_id)
    assert run.architecture().architecture_id == run.record.architecture_id
    assert run.save_weights(tmp_path / f"{run_id}.weights.h5").stat().st_size > 0


def test_the_server_is_killed_while_three_trainings_record_to_it(
    server: StoreServer, store: Path, expected: Record, tmp_path: Path, warm_python: WarmPython
) -> None:
    trainings = {
        way: Training(None if way == "run" else warm_python, tmp_path / way, way, server.address)
        for way in WAYS
    }
    for way, training in trainings.items():
        training.wait_for(1)
        wait_until(lambda w=way: has_epochs(server.address, w, 1))
    server.kill()
    for training in trainings.values():
        training.go_on(1)
        training.wait_for(3)
    server.start()
    for training in trainings.values():
        assert complaints(training.end()) <= 1  # none, unless this machine is very slow
    for way in WAYS:
        for place in (server.address, store):
            assert_same(place, way, expected, tmp_path)
    assert check(LocalFiles(store)) == []
    assert LocalFiles(store).list("log") == []
    assert not send_spool(server.address)


def test_a_server_that_is_never_there(
    server: StoreServer, store: Path, expected: Record, tmp_path: Path, warm_python: WarmPython
) -> None:
    server.kill()
    warned = Training(warm_python, tmp_path / "away", "callback", server.address).end()
    assert said_once(warned, f"`modelkb push {server.address}`")
    assert not (store / "experiments").exists()

    server.start()
    assert push(server.address) == f"What waited for {server.address} is sent.\n"
    assert push(server.address) == f"Nothing waits for {server.address}.\n"
    assert_same(server.address, "callback", expected, tmp_path)


def said_once(lines: list[str], text: str) -> bool:
    """Return whether there is one warning, and it says something."""
    return complaints(lines) == 1 and text in "".join(lines)


def complaints(lines: list[str]) -> int:
    """Return how often something could not be sent; nothing else is said."""
    of_us = [line for line in lines if "ModelKB could not send to the store yet: " in line]
    # Python shows the line of the user's that it is about.
    assert len(of_us) == len([line for line in lines if not line.startswith("  ")]), lines
    return len(of_us)


def test_a_token_that_is_revoked_meanwhile(
    server: StoreServer, store: Path, expected: Record, tmp_path: Path, warm_python: WarmPython
) -> None:
    tokens = Tokens(LocalFiles(store))
    token, secret = tokens.create("a", Scope.WRITE)
    _, other = tokens.create("b", Scope.WRITE, "callback")
    training = Training(
        warm_python, tmp_path / "t", "callback", server.address, MODELKB_TOKEN=secret
    )
    training.wait_for(1)
    wait_until(lambda: Store(store).table("epochs").num_rows > 0)
    tokens.revoke(token.token_id)
    warned = training.end()
    assert said_once(warned, "revoked")
    assert secret not in "".join(warned)
    assert Store(store).table("epochs").num_rows < 6

    assert "revoked" in push(server.address, MODELKB_TOKEN=secret)
    with pytest.raises(TokenError):
        send_spool(server.address)
    push(server.address, MODELKB_TOKEN=other)
    assert_same(store, "callback", expected, tmp_path)


def test_both_are_killed(
    server: StoreServer, store: Path, expected: Record, tmp_path: Path, warm_python: WarmPython
) -> None:
    """What the training has reported is there, and only that; then the next run sends it."""
    training = Training(warm_python, tmp_path / "one", "callback", server.address)
    training.wait_for(1)
    wait_until(lambda: has_epochs(server.address, "callback", 1))
    server.kill()
    training.go_on(1)
    training.wait_for(3)
    training.kill()
    server.start()
    assert Training(warm_python, tmp_path / "two", "autolog", server.address).end() == []

    wait_until(lambda: has_epochs(store, "callback", 4))
    (run_id,) = Store(server.address).experiment_ids("callback")
    run = Store(server.address).experiment(run_id)
    assert run.record.status == "interrupted"
    found = everything_in(store, "callback")
    for table in ("epochs", "metrics", "batch_metrics"):
        begun = [row for row in expected[table] if row["epoch"] < 4]
        assert in_any_order({table: found[table]}) == in_any_order({table: begun})
    assert_same(store, "autolog", expected, tmp_path)
    assert not send_spool(server.address)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("only root can make a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Leave no byte of a disk."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as opened:
        for size in (1 << 16, 1):
            while True:
                try:
                    opened.write(bytes(size))
                except OSError:
                    break


def test_the_disk_of_the_server_is_full(
    disk: Path, expected: Record, tmp_path: Path, warm_python: WarmPython
) -> None:
    server = StoreServer(disk / "modelkb")
    server.start()
    try:
        training = Training(warm_python, tmp_path / "t", "callback", server.address)
        training.wait_for(1)
        wait_until(lambda: has_epochs(server.address, "callback", 1))
        before = Store(server.address).table("epochs").num_rows
        fill(disk / "other")
        training.go_on(1)
        training.wait_for(3)
        time.sleep(4)  # it is tried, and refused
        assert Store(server.address).table("epochs").num_rows <= before + 2
        (disk / "other").unlink()
        assert complaints(training.end()) <= 1
        send_spool(server.address)
        assert_same(server.address, "callback", expected, tmp_path)
        assert check(LocalFiles(disk / "modelkb")) == []
    finally:
        server.stop()


def test_two_networks(expected: Record, store: Path, tmp_path: Path) -> None:
    """As on two machines: a server that wants a token, and is killed in the middle."""
    with contextlib.ExitStack() as stack:
        try:
            here, there = stack.enter_context(two_networks())
        except PermissionError as error:
            pytest.skip(str(error))
        create_store(LocalFiles(store))
        _, secret = Tokens(LocalFiles(store)).create("lab", Scope.WRITE)
        server = StoreServer(store, address=there.address, prefix=there.prefix)
        server.start()
        stack.callback(server.stop)
        with pytest.raises(StoreUnreachableError):
            Store(server.address)
        training = Training(
            None, tmp_path / "t", "run", server.address, here.prefix, MODELKB_TOKEN=secret
        )
        training.wait_for(1)
        wait_until(lambda: has_epochs(store, "run", 1))
        server.kill()
        training.go_on(1)
        training.wait_for(3)
        server.start()
        said = training.end()
    assert len(said) == 1
    assert "plain text" in said[0]
    assert_same(store, "run", expected, tmp_path)
    assert check(LocalFiles(store)) == []
    assert LocalFiles(store).list("log") == []
