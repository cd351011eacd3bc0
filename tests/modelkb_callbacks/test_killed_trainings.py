"""Trainings that are killed, or whose disk is full or cannot be written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store
from modelkb_store.upkeep.checking import check
from warm_python import WarmPython

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked"),
]

SCRIPT = Path(__file__).parents[1] / "support" / "killed_training.py"
KILLS = 50


class Trainer:
    """The process that forks trainings."""

    def __init__(self, store: Path, *flags: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SCRIPT), str(store), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def train_and_kill(self, after: str, seconds: float) -> dict[int, float]:
        """Kill a training some time after it began (`pid`), or after its first epoch (`epoch`).

        Returns:
            The losses of the epochs that it reported.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        reported: dict[int, float] = {}
        process_id = 0
        for line in self._process.stdout:
            word, *rest = line.split()
            if word == "pid":
                process_id = int(rest[0])
            elif word == "epoch":
                reported[int(rest[0])] = float(rest[1])
            if word == after and len(reported) < 2:
                threading.Timer(seconds, os.kill, (process_id, signal.SIGKILL)).start()
            elif word == "over":
                return reported
        raise AssertionError("the trainer itself came to an end")

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def trainer(store: Path, request: pytest.FixtureRequest) -> Iterator[Trainer]:
    """A trainer for the store."""
    made = Trainer(store, *getattr(request, "param", ()))
    yield made
    made.end()


@pytest.mark.parametrize("trainer", [(), ("batch_metrics",)], indirect=True, ids=["", "batches"])
def test_no_reported_epoch_is_lost_at_any_moment(trainer: Trainer, store: Path) -> None:
    moments = random.Random(7)
    reported: list[dict[int, float]] = []
    for number in range(KILLS // 2):
        after = "pid" if number % 5 == 0 else "epoch"
        reported.append(trainer.train_and_kill(after, moments.uniform(0.0, 0.7)))

    assert sum(map(bool, reported)) > KILLS // 4  # they did train
    runs = Store(store).experiments()
    assert len(runs) <= len(reported)
    assert set(runs["status"]) == {"interrupted"}
    assert check(Store(store).files) == []
    curves = pd.read_parquet(store / "metrics")  # without us
    assert not curves.duplicated(["experiment_id", "epoch", "split", "metric"]).any()
    loss = curves.query("split == 'train' and metric == 'loss'")
    kept = [
        dict(zip(run["epoch"], run["value"], strict=True))
        for _, run in loss.groupby("experiment_id")
    ]
    for epochs in filter(None, reported):
        assert any(epochs.items() <= known.items() for known in kept)
    assert not list((store / "log").rglob("*.jsonl"))


TRAINING = """
import sys
import keras, numpy as np
from modelkb_callbacks import ModelKB

class Fill(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 3:
            {spoil}

x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int64")
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
recorder = ModelKB(store=sys.argv[1], project="full")
history = model.fit(x, y, epochs=12, verbose=0, callbacks=[recorder, Fill()])
print(history.history["loss"])
"""

FULL = """
            try:
                with open(sys.argv[2], "wb", buffering=0) as file:
                    while True:
                        file.write(b"x" * 4096)
            except OSError:
                pass
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "modelkb-test", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here: not root, or in a closed sandbox")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture(scope="module")
def plain_losses(warm_python: WarmPython) -> str:
    """What the training prints without recording."""
    text = TRAINING.format(spoil="pass").replace("callbacks=[recorder, Fill()]", "callbacks=[]")
    ended = warm_python.run(text, "unused")
    assert ended.stdout
    return str(ended.stdout)


def test_a_disk_that_becomes_full_stops_no_training(
    small_disk: Path, warm_python: WarmPython, plain_losses: str
) -> None:
    text = TRAINING.format(spoil=FULL)

    ended = warm_python.run(text, small_disk / "modelkb", small_disk / "filler")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == plain_losses
    assert ended.stderr.count("ModelKBWarning") == 1
    before = Store(small_disk / "modelkb").experiment_table()
    assert before["status"].to_pylist() == ["interrupted"]  # its end could not be written
    (small_disk / "filler").unlink()
    run = Store(small_disk / "modelkb").experiment(before["experiment_id"][0].as_py())
    assert run.metrics()["epoch"].max() >= 3
    assert check(Store(small_disk / "modelkb").files) == []


def test_a_disk_that_is_full_for_a_while_costs_no_epoch(
    small_disk: Path, warm_python: WarmPython
) -> None:
    text = TRAINING.format(
        spoil=FULL + "        if epoch == 6:\n            import os; os.unlink(sys.argv[2])"
    )

    ended = warm_python.run(text, small_disk / "modelkb", small_disk / "filler")

    assert ended.returncode == 0, ended.stderr
    runs = Store(small_disk / "modelkb").experiments()
    assert runs["status"].tolist() == ["finished"]
    run = Store(small_disk / "modelkb").experiment(runs["experiment_id"][0])
    assert sorted(run.metrics()["epoch"]) == list(range(12))
    assert check(Store(small_disk / "modelkb").files) == []


def test_a_disk_that_cannot_be_written_stops_no_training(
    small_disk: Path, warm_python: WarmPython, plain_losses: str
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    ended = warm_python.run(TRAINING.format(spoil="pass"), small_disk / "modelkb")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == plain_losses
    assert ended.stderr.count("ModelKBWarning") == 1


def test_a_store_that_cannot_be_written_is_read_as_it_is(
    small_disk: Path, warm_python: WarmPython
) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    warm_python.run(TRAINING.format(spoil=killed), small_disk / "modelkb")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    runs = Store(small_disk / "modelkb").experiments()

    assert runs["status"].tolist() == ["interrupted"]
    epochs = Store(small_disk / "modelkb").experiment(runs["experiment_id"][0]).metrics()["epoch"]
    assert sorted(epochs) == [0, 1, 2, 3]
