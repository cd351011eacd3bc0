"""What recording costs a training: the time spent in our code, per run, epoch and batch.

Trains a small CNN and times every hook of the callback, and what watching a validation batch
takes. The difference between whole trainings with and without the callback is smaller than
their own scatter, so it is not what is reported.

    python benchmarks/recording_cost.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from typing import Any

import keras
import numpy as np

from modelkb_callbacks import ModelKB
from modelkb_callbacks.frameworks.framework import Tap

RUNS = 6
SAMPLES = 4096
EPOCHS = 5

seconds: dict[str, list[float]] = defaultdict(list)


def timed(name: str, function: Any) -> Any:
    """Return the function with its time noted under a name."""

    def run(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[name].append(time.perf_counter() - start)

    return run


class TimedModelKB(ModelKB):
    """The callback, with the time of its hooks noted."""

    begin_fit = timed("run", ModelKB.begin_fit)
    on_train_begin = timed("run", ModelKB.on_train_begin)
    end_fit = timed("run", ModelKB.end_fit)
    on_epoch_begin = timed("epoch", ModelKB.on_epoch_begin)
    on_epoch_end = timed("epoch", ModelKB.on_epoch_end)
    on_test_begin = timed("epoch", ModelKB.on_test_begin)
    on_test_end = timed("epoch", ModelKB.on_test_end)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if settings.get("batch_metrics"):
            self.on_train_batch_end = timed("batch", self.on_train_batch_end)


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


def seconds_of_fit(recorder: ModelKB) -> float:
    """Train a fresh model and return how long ``fit`` took."""
    random = np.random.default_rng(0)
    x = random.normal(size=(SAMPLES, 28, 28, 1)).astype("float32")
    y = random.integers(0, 10, SAMPLES)
    model = build()
    start = time.perf_counter()
    model.fit(x, y, validation_split=0.2, epochs=EPOCHS, verbose=0, callbacks=[recorder])
    return time.perf_counter() - start


def main() -> None:
    """Print the costs."""
    Tap.show = timed("validation batch", Tap.show)  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as store:
        # What the first run of a process pays: the list of distributions, imports.
        seconds_of_fit(TimedModelKB(store=store))
        print(f"first run of a process  {sum(seconds['run']) * 1e3:7.1f} ms")
        seconds.clear()
        fits = [seconds_of_fit(TimedModelKB(store=store, batch_metrics=True)) for _ in range(RUNS)]
    per_run = sum(seconds["run"]) / RUNS
    per_epoch = sum(seconds["epoch"]) / RUNS / EPOCHS
    print(f"each further run        {per_run * 1e3:7.1f} ms")
    print(f"epoch                   {per_epoch * 1e3:7.1f} ms")
    for name in ("validation batch", "batch"):
        print(f"{name:<23} {statistics.median(seconds[name]) * 1e6:7.1f} us")
    share = sum(map(sum, seconds.values())) / sum(fits)
    epoch = statistics.median(fits) / EPOCHS
    print(f"share of fit            {share:7.1%} of {EPOCHS} epochs of {epoch:.2f} s")


if __name__ == "__main__":
    main()
