"""What recording costs a training: the time spent in our code, per run, epoch and batch.

Trains a small CNN and times every hook of the callback, what of it the store takes, and what
watching a validation batch takes. The difference between whole trainings with the callback
and without it is smaller than their own scatter, so it stands at the end, as a check.

    python benchmarks/recording_cost.py
    python benchmarks/recording_cost.py --server    # a folder, and servers: there, hanging, away
"""

from __future__ import annotations

import contextlib
import functools
import gc
import math
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
import timeit
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import keras
import numpy as np

from modelkb_callbacks import ModelKB
from modelkb_callbacks.batch_log import BatchLog
from modelkb_callbacks.curves import Curves
from modelkb_callbacks.frameworks.framework import Tap
from modelkb_store.writer import ExperimentWriter
from store_server import StoreServer
from viewer_server import free_port

LONG_EPOCH_STEPS = 10_000
HOOKS = {
    "before": ("__init__", "begin_fit", "on_train_begin"),
    "epoch": ("on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end"),
    "after": ("on_train_end", "end_fit"),
}


@dataclass(frozen=True)
class Size:
    """How much a training has to do.

    Attributes:
        samples: Rows of the arrays.
        validation_split: The share of them that is kept for the validation.
        batch_size: Of training and validation.
    """

    samples: int
    validation_split: float
    batch_size: int

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return math.ceil(self.samples * (1 - self.validation_split) / self.batch_size)


TINY = Size(4096, 0.2, 32)
# As Keras' own example of a small CNN has it, with 15 epochs.
OF_MNIST = Size(60_000, 0.1, 128)
# Size, epochs, and how many trainings.
FITS = ((TINY, 5, 3), (TINY, 20, 3), (OF_MNIST, 15, 1))


class Clock:
    """Sums the time of the training's thread by what it is spent on.

    Attributes:
        own: Seconds by name, without what was counted under another name inside.
        store: Seconds in the store, by the name outside.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._open: list[tuple[str, list[float]]] = []
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.own: dict[str, float] = defaultdict(float)
        self.store: dict[str, float] = defaultdict(float)

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Count a method's time under a name."""
        function = getattr(owner, method)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread or (self._open and self._open[-1][0] == name):
                return function(*args, **kwargs)
            inside = [0.0]
            self._open.append((name, inside))
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - start
                self._open.pop()
                self._count(name, seconds, inside[0])

        setattr(owner, method, run)

    def watch_collector(self) -> None:
        """Count what Python's collector of cycles takes inside of what is counted."""
        began: list[float] = []

        def note(phase: str, _: dict[str, int]) -> None:
            if threading.get_ident() != self._thread or not self._open:
                return
            if phase == "start":
                began.append(time.perf_counter())
            elif began:
                self._count("collector", time.perf_counter() - began.pop(), 0.0)

        gc.callbacks.append(note)

    def _count(self, name: str, seconds: float, inside: float) -> None:
        if self._open:
            self._open[-1][1][0] += seconds
        if name == "store" and self._open:
            self.store[self._open[-1][0]] += seconds - inside
        else:
            self.own[name] += seconds - inside

    def milliseconds(self, *names: str) -> tuple[float, float]:
        """Return what some names took, with the store, and what of it the store took."""
        store = sum(self.store[name] for name in names)
        return (sum(self.own[name] for name in names) + store) * 1e3, store * 1e3


def watched() -> Clock:
    """Return a clock on all of our code that runs in a training's own thread."""
    clock = Clock()
    for name, hooks in HOOKS.items():
        for hook in hooks:
            clock.watch(ModelKB, hook, name)
    for method, value in list(vars(ExperimentWriter).items()):
        if callable(value) and method != "set" and (method == "__init__" or method[0] != "_"):
            clock.watch(ExperimentWriter, method, "store")
    clock.watch(Curves, "_write_batches", "batches")
    clock.watch(Tap, "show", "validation")
    clock.watch_collector()
    return clock


def build() -> keras.Model:
    """Return a small compiled CNN."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def seconds_of_fit(epochs: int, size: Size = TINY, **settings: Any) -> float:
    """Train a fresh model and return how long that took, with the callback's making.

    Args:
        epochs: How many.
        size: Of the data.
        settings: Of the callback; without any, nothing is recorded.
    """
    random = np.random.default_rng(0)
    x = random.random((size.samples, 28, 28, 1), "float32")
    y = random.integers(0, 10, size.samples)
    model = build()
    start = time.perf_counter()
    callbacks = [ModelKB(**settings)] if settings else []
    model.fit(
        x,
        y,
        validation_split=size.validation_split,
        batch_size=size.batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    )
    return time.perf_counter() - start


def train_long_epoch(store: str) -> None:
    """Train a tiny network for one epoch of many steps."""
    random = np.random.default_rng(0)
    x = random.normal(size=(LONG_EPOCH_STEPS * 2, 8)).astype("float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [ModelKB(store=store, batch_metrics=True)]
    y = random.integers(0, 10, len(x))
    model.fit(x, y, batch_size=2, verbose=0, callbacks=callbacks)


def hook_microseconds() -> float:
    """Return what noting one batch takes, without what becomes of it later."""
    log, logs = BatchLog(lambda: None), {"accuracy": 0.5, "loss": 0.1}
    seconds = timeit.repeat(lambda: log.end_batch(0, logs), number=10_000, repeat=5)
    return min(seconds) / 10_000 * 1e6


def print_cost(name: str, milliseconds: float, store: float) -> None:
    """Print a line, with what of it the store takes."""
    print(f"{name:<34} {milliseconds:8.2f} ms, of which the store {store:7.2f}")


def print_run(title: str, clock: Clock) -> None:
    """Print what a run costs however long it is."""
    print_cost(title, *clock.milliseconds("before", "after"))
    print_cost("  before the first step", *clock.milliseconds("before"))
    print_cost("  after the last step", *clock.milliseconds("after"))
    # All that the process holds is looked through once, by whoever makes the next object: in our
    # code or, in a training without us, in Keras'.
    collector, _ = clock.milliseconds("collector")
    print(f"  beside it, Python's collector    {collector:8.2f} ms")


def measure(clock: Clock, store: str, size: Size, epochs: int, runs: int) -> None:
    """Print what recording costs trainings of one size, by our clock and as a whole."""
    clocks, plain, recorded = [], [], []
    for _ in range(runs):
        plain.append(seconds_of_fit(epochs, size))
        clock.clear()
        recorded.append(seconds_of_fit(epochs, size, store=store, batch_metrics=True))
        clocks.append(sum(clock.own.values()) + sum(clock.store.values()))
    ours = statistics.median(clocks) + epochs * size.steps * hook_microseconds() / 1e6
    whole, without = statistics.median(recorded), statistics.median(plain)
    scatter = f", {runs} without it by {max(plain) / min(plain) - 1:.2%}" if runs > 1 else ""
    print(
        f"share, {epochs:>2} epochs, {size.samples:>6,} samples {ours / without:8.2%} "
        f"of {without:.2f} s; "
        f"whole trainings differ by {whole / without - 1:+.2%}{scatter}"
    )


@contextlib.contextmanager
def places(folder: Path) -> Iterator[dict[str, str]]:
    """Yield stores to record to by name: one that is a folder, and three on servers."""
    os.environ["MODELKB_SPOOL"] = str(folder / "spool")
    server = StoreServer(folder / "served")
    server.start()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hanging:
        yield {
            "a folder": str(folder / "modelkb"),
            "a server": server.address,
            "a server that never answers": f"http://127.0.0.1:{hanging.getsockname()[1]}",
            "a server that is away": f"http://127.0.0.1:{free_port()}",
        }
    server.stop()


def compare_places(clock: Clock, runs: int = 7, epochs: int = 5) -> None:
    """Print what recording takes of a training's thread, by where it is recorded to."""
    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as stores:
        fits: dict[str, list[float]] = defaultdict(list)
        costs: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for store in stores.values():  # what the first run of a process pays
            seconds_of_fit(1, store=store)
        for _ in range(runs):  # by turns, so that all meet the same machine
            for name, store in stores.items():
                clock.clear()
                fits[name].append(seconds_of_fit(epochs, store=store, batch_metrics=True))
                per_run, _ = clock.milliseconds("before", "after")
                per_epoch, _ = clock.milliseconds("epoch", "validation", "batches")
                costs[name].append((per_run, per_epoch / epochs))
        for name in stores:
            of_run, of_epoch = (statistics.median(each) for each in zip(*costs[name], strict=True))
            whole = statistics.median(fits[name])
            print(
                f"{name:<30} {of_run:8.2f} ms a run, {of_epoch:6.2f} ms an epoch; "
                f"a fit of {epochs} epochs {whole:.2f} s"
            )


def main() -> None:
    """Print the costs."""
    clock = watched()
    if "--server" in sys.argv[1:]:
        compare_places(clock)
        return
    with tempfile.TemporaryDirectory() as store:
        # What the first run of a process pays: the list of distributions, imports, the scan.
        seconds_of_fit(1, store=store)
        print_run("first run of a process", clock)
        print_further_runs(clock, store)
        for size, epochs, runs in FITS:
            measure(clock, store, size, epochs, runs)


def print_further_runs(clock: Clock, store: str, runs: int = 7, epochs: int = 2) -> None:
    """Print the medians of some runs, by run, epoch and batch."""
    owns, stores = [], []
    for _ in range(runs):
        clock.clear()
        seconds_of_fit(epochs, store=store, batch_metrics=True)
        owns.append(clock.own)
        stores.append(clock.store)
    clock.clear()
    for name in ("before", "after", "epoch", "validation", "batches"):
        shares = 1 if name in HOOKS and name != "epoch" else epochs
        clock.own[name] = statistics.median(own[name] for own in owns) / shares
        clock.store[name] = statistics.median(each[name] for each in stores) / shares
    print_run("each further run", clock)
    print_cost("epoch", *clock.milliseconds("epoch"))
    print_cost("  its validation batches", *clock.milliseconds("validation"))
    print_batch(clock, TINY.steps)
    clock.clear()
    train_long_epoch(store)
    print_batch(clock, LONG_EPOCH_STEPS)


def print_batch(clock: Clock, steps: int) -> None:
    """Print what a batch costs in epochs of some length: to write takes its time, once an epoch."""
    hook = hook_microseconds()
    whole, store = (milliseconds / steps * 1e3 for milliseconds in clock.milliseconds("batches"))
    print(
        f"batch, in epochs of {steps:>6,} steps    {hook + whole:8.2f} us: "
        f"the hook {hook:.2f}, its row later {whole - store:.2f}, the store {store:.2f}"
    )


if __name__ == "__main__":
    main()
