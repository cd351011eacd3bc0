from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers

from modelkb_callbacks import ModelKB
from modelkb_store import ExperimentNotFoundError
from modelkb_viewer.prediction.loaded_models import LoadedModels, ModelKey

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::modelkb_callbacks.ModelKBWarning"),
]
WIDTH = 100
BYTES = (WIDTH * WIDTH + WIDTH) * 4


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[ModelKey]:
    """Three models of the same size."""
    store = tmp_path_factory.mktemp("loaded") / "modelkb"
    return [_recorded(store) for _ in range(3)]


def _recorded(store: Path) -> ModelKey:
    model = keras.Sequential([keras.Input((WIDTH,)), layers.Dense(WIDTH)])
    model.compile("sgd", "mse")
    recorder = ModelKB(project="tried", store=str(store))
    x = np.zeros((4, WIDTH), "float32")
    model.fit(x, x, verbose=0, callbacks=[recorder])
    assert recorder.experiment_id is not None
    return ModelKey(str(store), recorder.experiment_id, None, "", runs_code=False)


def test_those_that_were_used_last_stay_within_the_bound(keys: list[ModelKey]) -> None:
    models = LoadedModels(most_bytes=2 * BYTES)
    first, second, _ = (models.model(key, []) for key in keys)
    assert len(models) == 2
    assert models.model(keys[1], []) is second
    assert models.model(keys[0], []) is not first  # it had to go, and comes back for the third
    assert models.model(keys[1], []) is second
    assert len(models) == 2


def test_many_in_turn_take_no_more_than_the_bound(keys: list[ModelKey]) -> None:
    models = LoadedModels(most_bytes=BYTES)
    for turn in range(6):
        models.model(keys[turn % 3], [])
        assert models._used_bytes() <= BYTES


def test_one_that_is_larger_than_the_bound_is_used(keys: list[ModelKey]) -> None:
    models = LoadedModels(most_bytes=10)
    model = models.model(keys[0], [])
    assert models.model(keys[0], []) is model
    with pytest.raises(ExperimentNotFoundError):
        models.model(ModelKey(keys[0].location, "nobody", None, "", runs_code=False), [])
    assert models.model(keys[0], []) is model
