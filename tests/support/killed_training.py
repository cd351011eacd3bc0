"""A process that trains for real and says which epochs Keras has reported, to be killed.

    python killed_training.py STORE [batch_metrics]

TensorFlow is loaded once; each line "go" on standard input forks a process that trains. It prints
its process id, and then a line for every epoch that ended.
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow  # noqa: F401 - loaded before the forks, which do the first operation

from modelkb_callbacks import ModelKB


class Report(keras.callbacks.Callback):  # type: ignore[misc]
    """Prints what is over, after all other callbacks."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # In one piece, so that no other line comes in between.
        sys.stdout.write(f"epoch {epoch} {float((logs or {})['loss'])!r}\n")
        sys.stdout.flush()


def train(store: str, *, batch_metrics: bool) -> None:
    """Train until somebody kills the process, or for 400 epochs."""
    random = np.random.default_rng(os.getpid())
    x = random.normal(size=(64, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    recorder = ModelKB(store=store, project="killed", batch_metrics=batch_metrics)
    callbacks = [recorder, Report()]
    model.fit(
        x, y, batch_size=16, epochs=400, validation_split=0.25, verbose=0, callbacks=callbacks
    )
    print("ended", flush=True)


def main() -> None:
    """Fork a training for every line of input."""
    store, batch_metrics = sys.argv[1], "batch_metrics" in sys.argv[2:]
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            print(f"pid {os.getpid()}", flush=True)
            train(store, batch_metrics=batch_metrics)
            os._exit(0)
        os.waitpid(child, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main()
