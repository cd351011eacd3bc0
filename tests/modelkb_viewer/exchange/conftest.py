"""One training that all tests of the exchange share."""

from __future__ import annotations

import pytest

from modelkb_store import Experiment, Store

TAGS = ["baseline", "f1 @ 50%"]
NOTES = "Better than before.\nMore dropout next."
PARAMS = {"note": "x", "drop": 0.25, "sizes": [1, 2], "flag": True, "nothing": None, "id": "a-7"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """A short training of a small classifier; not to be changed."""
    import keras
    import numpy as np

    from modelkb_callbacks import ModelKB
    from trainings import CLASSES, FEATURES, functional

    store = tmp_path_factory.mktemp("exchange") / "modelkb"
    keras.utils.set_random_seed(5)
    x = np.random.normal(size=(24, FEATURES)).astype("float32")
    y = np.random.randint(0, CLASSES, 24)
    model = functional()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    recorder = ModelKB(
        store=store,
        project="clouds & more",
        name="first",
        tags=TAGS,
        notes=NOTES,
        params=PARAMS,
        strict=True,
    )
    model.fit(x, y, epochs=2, batch_size=8, validation_split=0.25, verbose=0, callbacks=[recorder])
    return Store(store).experiment("first")


@pytest.fixture
def rebuilt(trained: Experiment) -> object:
    """The trained model as Keras has it."""
    return trained.load_model(compile=False)
