"""What recording adds to each call of ``predict``, in a loop of 2,000.

Run it with ``python benchmarks/prediction_cost.py``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

import keras
import numpy as np

import modelkb_callbacks

_CALLS = 2000
_X = np.zeros((8, 16), "float32")


def seconds_per_call(*models: Any) -> list[list[float]]:
    """Return how long each call took, by model; they take turns, as machines have moods."""
    seconds: list[list[float]] = [[] for _ in models]
    for _ in range(_CALLS):
        for model, of_model in zip(models, seconds, strict=True):
            began = time.perf_counter()
            model.predict(_X, verbose=0)
            of_model.append(time.perf_counter() - began)
    return seconds


def trained_model() -> Any:
    """Return a small model that has been trained and used once."""
    model = keras.Sequential([keras.layers.Dense(16), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(_X, _X[:, :1], verbose=0)
    model.predict(_X, verbose=0)
    return model


def main() -> None:
    """Print the figures."""
    unrecorded_model = trained_model()
    with tempfile.TemporaryDirectory() as store:
        modelkb_callbacks.autolog(store=store)
        plain, recorded = seconds_per_call(unrecorded_model, trained_model())
        modelkb_callbacks.disable()
    for name, seconds in (("plain", plain), ("recorded", recorded)):
        median, mean = statistics.median(seconds), statistics.mean(seconds)
        print(
            f"{name:9} median {median * 1e3:6.2f} ms  mean {mean * 1e3:6.2f} ms  "
            f"slowest {max(seconds) * 1e3:6.1f} ms"
        )
    extra = statistics.median(recorded) - statistics.median(plain)
    print(f"extra     median {extra * 1e3:6.2f} ms a call")


if __name__ == "__main__":
    main()
