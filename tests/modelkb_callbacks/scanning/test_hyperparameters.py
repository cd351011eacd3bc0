"""The constants that a training depends on."""

from __future__ import annotations

from typing import Any

import pytest

from scanned import scanned

HYPERPARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "constants that are used": (
        """
        import keras
        UNITS, RATE = 8, 0.5
        WIDTH = UNITS * 2
        TITLE = "not for training"
        shape = (28, 28)
        model = keras.Sequential([keras.Input(shape), keras.layers.Dense(WIDTH)])
        model.compile(keras.optimizers.Adam(RATE), "mse")
        print(TITLE)
        """,
        {"UNITS": 8, "RATE": 0.5, "WIDTH": 16, "shape": (28, 28)},
    ),
    "what makes the data": (
        """
        import keras, numpy as np
        SAMPLES = 1000
        LENGTH = 7
        rows = []
        while len(rows) < SAMPLES:
            row = np.zeros(LENGTH)
            rows.append(row)
        figure_width = 20
        keras.Sequential().fit(np.array(rows))
        draw(figure_width)
        """,
        {"SAMPLES": 1000, "LENGTH": 7},
    ),
    "loop around a fit": (
        "import keras\nrounds = 40\nm = keras.Sequential()\nfor _ in range(rounds):\n    m.fit(x)",
        {"rounds": 40},
    ),
    "options and their dest": (
        """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--batch-size", default=4)
        parser.add_argument("--fast", action="store_true", dest="quick")
        parser.add_argument("--name")
        """,
        {"batch_size": 4, "quick": False},
    ),
    "attributes and keys": (
        """
        import keras
        class Config:
            units = 3
            comment = "unused"
        settings = {"epochs": 2, "batch_size": 1}
        model = keras.Sequential([keras.layers.Dense(Config.units)])
        model.fit(x, **settings)
        """,
        {"units": 3, "epochs": 2, "batch_size": 1},
    ),
    "a builder called once": (
        """
        import keras
        def build(units=5, depth=2, *, rate):
            layers = [keras.layers.Dense(units) for _ in range(depth)]
            return keras.Sequential([*layers, keras.layers.Dropout(rate)])
        model = build(rate=0.25, depth=3)
        """,
        {"units": 5, "depth": 3, "rate": 0.25},
    ),
    "a helper called often": (
        "import keras\n"
        "def row(n=1):\n"
        "    return keras.layers.Dense(n)\n"
        "m = keras.Sequential([row(n=2), row(n=3)])",
        {},
    ),
    "a helper called often in one way": (
        "import keras\ndef row(n=1):\n    return keras.layers.Dense(n)\n"
        "m = keras.Sequential([row(n=2), row(2)])",
        {"n": 2},
    ),
    "assigned twice": (
        "import keras\n"
        "n = 100\n"
        "m = keras.Sequential()\n"
        "m.fit(x, epochs=n)\n"
        "n = 500\n"
        "m.fit(x, epochs=n)",
        {"n": {"any_of": [100, 500]}},
    ),
    "known only in a run": (
        "import keras\nn = 5\nn = n * devices()\nkeras.Sequential().fit(x, batch_size=n)",
        {},
    ),
}


@pytest.mark.parametrize(("source", "expected"), HYPERPARAMETERS.values(), ids=HYPERPARAMETERS)
def test_hyperparameters(source: str, expected: dict[str, Any]) -> None:
    assert scanned(source).hyperparameters == expected
