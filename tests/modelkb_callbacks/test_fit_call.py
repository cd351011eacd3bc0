"""The arguments of ``fit``, by name."""

from __future__ import annotations

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.trainers.data_adapters.array_slicing import train_validation_split

from modelkb_callbacks import keras_patch
from modelkb_callbacks.fit_call import FitCall


def test_by_position_and_by_name() -> None:
    call = FitCall.bind(keras.Model.fit, "model", [1], [2], 8, epochs=3)
    assert call.training_data() == ([1], [2])
    assert call.settings["batch_size"] == 8
    assert call.settings["epochs"] == 3
    assert call.settings["shuffle"] is True
    assert not call.is_validated


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(TypeError):
        FitCall.bind(keras.Model.fit, "model", epoks=3)


@given(st.integers(2, 500), st.floats(0.01, 0.99))
def test_split_is_where_keras_cuts(count: int, split: float) -> None:
    import numpy as np

    call = FitCall({"validation_split": split})
    position = call.split_position(count)
    if 0 < position < count:
        (training, _, _), _ = train_validation_split(
            (np.arange(count), np.arange(count), None), validation_split=split
        )
        assert len(training) == position


def test_wrong_arguments_get_keras_own_error() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="epoks"):
        model.fit([1.0], epoks=3)


def test_the_patch_keeps_name_signature_and_original() -> None:
    import inspect

    assert keras_patch.is_installed(keras)
    assert keras.Model.fit.__name__ == "fit"
    assert "validation_split" in inspect.signature(keras.Model.fit).parameters
    before = keras.Model.fit
    keras_patch.install(keras)
    assert keras.Model.fit is before
