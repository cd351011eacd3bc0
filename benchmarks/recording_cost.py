"""What recording costs a training: the fixed time per run, and the time per epoch and batch.

Trains the same small CNN with and without the callback, in turn, and prints medians.

    python benchmarks/recording_cost.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

import keras
import numpy as np

from modelkb_callbacks import ModelKB

REPEATS = 7
SAMPLES = 4096
EPOCHS = 5


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


def seconds_of_fit(epochs: int, callbacks: Callable[[], list[keras.callbacks.Callback]]) -> float:
    """Train a fresh model and return how long ``fit`` took."""
    random = np.random.default_rng(0)
    x = random.normal(size=(SAMPLES, 28, 28, 1)).astype("float32")
    y = random.integers(0, 10, SAMPLES)
    model = build()
    listed = callbacks()
    start = time.perf_counter()
    model.fit(x, y, validation_split=0.2, epochs=epochs, verbose=0, callbacks=listed)
    return time.perf_counter() - start


def main() -> None:
    """Print the costs."""
    with tempfile.TemporaryDirectory() as store:
        ways: dict[str, Callable[[], list[keras.callbacks.Callback]]] = {
            "without": list,
            "with": lambda: [ModelKB(store=store)],
            "with batches": lambda: [ModelKB(store=store, batch_metrics=True)],
        }
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(REPEATS + 1):
            for epochs in (1, EPOCHS):
                for name, callbacks in ways.items():
                    times.setdefault((name, epochs), []).append(seconds_of_fit(epochs, callbacks))
    medians = {key: statistics.median(values[1:]) for key, values in times.items()}
    for (name, epochs), median in medians.items():
        print(f"{name:<13} {epochs} epochs: {median:.3f} s")
    for name in ("with", "with batches"):
        fixed = medians[name, 1] - medians["without", 1]
        per_epoch = (medians[name, EPOCHS] - medians["without", EPOCHS] - fixed) / (EPOCHS - 1)
        print(f"{name:<13} fixed {fixed * 1e3:.0f} ms a run, {per_epoch * 1e3:.1f} ms an epoch")


if __name__ == "__main__":
    main()
