"""Fixtures for recorded trainings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from trainings import CLASSES, FEATURES, SAMPLES, Data, Fit, Fitted
from warm_python import WarmPython


@pytest.fixture
def fit(store: Path) -> Fit:
    """Train with a strict callback: what fails of ours fails the test."""

    def run(
        model: keras.Model, *args: Any, settings: dict[str, Any] | None = None, **kw: Any
    ) -> Fitted:
        recorder = ModelKB(store=store, project="tests", strict=True, **(settings or {}))
        history = model.fit(*args, **{"verbose": 0, "callbacks": [recorder], **kw})
        assert recorder.experiment_id is not None
        return Fitted(model, history.history, Store(store).experiment(recorder.experiment_id))

    return run


@pytest.fixture(scope="session")
def warm_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmPython]:
    """Runs scripts in processes of their own that need not load TensorFlow."""
    made = WarmPython(tmp_path_factory.mktemp("scripts"))
    yield made
    made.close()


@pytest.fixture
def data() -> Data:
    """The same points for every test."""
    random = np.random.default_rng(7)
    classes = random.integers(0, CLASSES, SAMPLES)
    centres = random.normal(size=(CLASSES, FEATURES)) * 2
    x = centres[classes] + random.normal(size=(SAMPLES, FEATURES))
    return Data(x.astype("float32"), classes)
