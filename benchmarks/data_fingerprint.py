"""What describing data costs: the fingerprint by itself, arrays, and a batch of a training.

python benchmarks/data_fingerprint.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from modelkb_callbacks import ModelKB
from modelkb_callbacks.datasets.batch_feed import BatchFeed
from modelkb_callbacks.datasets.canonical_rows import canonical_rows
from modelkb_callbacks.datasets.dataset_record import record_of_arrays
from modelkb_callbacks.datasets.fingerprint import Fingerprint

random = np.random.default_rng(0)
put_seconds: list[float] = []


def seconds_of(action: Any) -> float:
    """Return the shortest of some runs."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def print_fingerprint(name: str, x: Any) -> None:
    """Print how fast samples of one kind are hashed, with a label each."""
    labels = canonical_rows(np.arange(len(x)) % 10)
    seconds = seconds_of(lambda: Fingerprint().add([canonical_rows(x)], [labels]))
    speed, each = x.nbytes / seconds / 1e6, seconds / len(x) * 1e6
    print(f"hash {name:<22} {speed:7.0f} MB/s {each:9.2f} us per sample")


def print_arrays(name: str, x: Any) -> None:
    """Print how long a training waits until its arrays are described."""
    y = np.arange(len(x)) % 10
    seconds = seconds_of(lambda: record_of_arrays(x, y, range(len(x)), None, ()))
    record, _ = record_of_arrays(x, y, range(len(x)), None, ())
    seen = f"{record.fingerprint_scope}: {record.fingerprint_sample_count:,} of {len(x):,}"
    print(f"arrays {name:<20} {seconds * 1e3:7.1f} ms   {seen}")


def timed_put(self: BatchFeed, x: list[Any], y: list[Any]) -> None:
    """Put a batch, and note the time the training's thread spends."""
    start = time.perf_counter()
    original_put(self, x, y)
    put_seconds.append(time.perf_counter() - start)


def batches(x: Any, y: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Yield batches for ever."""
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


def print_training(name: str, shape: tuple[int, ...], layers: list[Any]) -> None:
    """Print the cost of a batch to the training's thread, and epochs with and without us."""
    x = random.normal(size=(2048, *shape)).astype("float32")
    y = random.integers(0, 10, 2048)
    epochs: dict[bool, list[float]] = {True: [], False: []}
    put_seconds.clear()
    with tempfile.TemporaryDirectory() as store:
        for recorded in [False, True] * 5:
            model = keras.Sequential([keras.Input(shape), *map(keras.layers.deserialize, layers)])
            model.compile("sgd", "sparse_categorical_crossentropy")
            clock = EpochClock()
            recorder = [ModelKB(store=store, save_weights=False)] if recorded else []
            model.fit(
                batches(x, y, 32),
                steps_per_epoch=64,
                epochs=3,
                verbose=0,
                callbacks=[clock, *recorder],
            )
            # The first one traces; of a recorded run it is also the one that is watched.
            epochs[recorded].append(clock.seconds[0])
    put = statistics.median(put_seconds) * 1e6
    plain, watched = (min(epochs[recorded]) for recorded in (False, True))
    print(
        f"training {name:<18} {put:7.1f} us per batch of 32; "
        f"first epoch {plain:.2f} s, watched {watched:.2f} s"
    )


class EpochClock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes how long each epoch takes."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin anew."""
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        self.seconds.append(time.perf_counter() - self.start)


def main() -> None:
    """Print the costs."""
    small = random.normal(size=(200_000, 8)).astype("float32")
    images = random.normal(size=(64, 224, 224, 3)).astype("float32")
    print_fingerprint("small rows", small)
    print_fingerprint("28x28 uint8", random.integers(0, 256, (20_000, 28, 28)).astype("uint8"))
    print_fingerprint("28x28 float32", random.normal(size=(20_000, 28, 28)).astype("float32"))
    print_fingerprint("224x224x3 float32", images)
    print_fingerprint("224x224x3 uint8", (images * 30).astype("uint8"))
    print_arrays("small rows", np.tile(small, (5, 1)))
    print_arrays("28x28 uint8", random.integers(0, 256, (60_000, 28, 28)).astype("uint8"))
    print_arrays("224x224x3 float32", images)
    dense = keras.layers.serialize(keras.layers.Dense(10, activation="softmax"))
    flat = keras.layers.serialize(keras.layers.Flatten())
    conv, again = (
        keras.layers.serialize(keras.layers.Conv2D(8, 3, strides=2, activation="relu"))
        for _ in range(2)
    )
    print_training("small rows", (8,), [dense])
    print_training("28x28x1", (28, 28, 1), [conv, flat, dense])
    print_training("96x96x3", (96, 96, 3), [conv, again, flat, dense])


original_put = BatchFeed.put
BatchFeed.put = timed_put  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
