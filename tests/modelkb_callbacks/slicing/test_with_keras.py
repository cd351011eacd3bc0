"""Slices taken inside of Keras' own ``fit``."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import pytest

from modelkb_callbacks.slicing import frames_of_fit, slice_data
from modelkb_callbacks.slicing.data_slice import DataSlice
from slicing_runs import FitReachedError, assert_same, run_slice, run_to_fit


class Watch(keras.callbacks.Callback):
    """Takes the slice where a recorder would, deep inside of Keras."""

    found: DataSlice | None = None

    def on_train_begin(self, logs: object = None) -> None:
        type(self).found = slice_data(frames_of_fit(sys._getframe()))


@pytest.fixture(autouse=True)
def _watch(monkeypatch: pytest.MonkeyPatch) -> None:
    import slicing_runs

    monkeypatch.setattr(slicing_runs.watched, "Watch", Watch, raising=False)
    monkeypatch.setattr(Watch, "found", None)


def test_arrays_in_a_whole_script(tmp_path: Path) -> None:
    script = """
        import os
        import keras
        import numpy as np
        from keras import layers
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
        from watched import Watch

        EPOCHS = 1
        keras.utils.set_random_seed(42)

        def preprocess(images):
            return images[:60].astype("float32")[..., None] / 16.0

        def build_model(classes):
            inputs = keras.Input((8, 8, 1))
            x = layers.Flatten()(inputs)
            return keras.Model(inputs, layers.Dense(classes)(x))

        digits = load_digits()
        classes = len(digits.target_names)
        x = preprocess(digits.images)
        y = keras.utils.to_categorical(digits.target[:60], classes)
        x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2)
        normalization = layers.Normalization()
        normalization.adapt(x_train)
        net = build_model(classes)
        net.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        net.summary()
        stop = keras.callbacks.EarlyStopping()
        history = net.fit(
            x_train, y_train, epochs=EPOCHS, verbose=0, validation_data=(x_val, y_val),
            callbacks=[stop, Watch()],
        )
        model.fit(x_train, y_train, validation_data=(x_val, y_val))
        """
    seen = run_to_fit(script, tmp_path)
    found = Watch.found
    assert found is not None
    for word in (
        "Dense",
        "compile",
        "Normalization",
        "EarlyStopping",
        "summary",
        "EPOCHS",
        "build",
    ):
        assert word not in found.text
    assert found.problems == ()
    assert_same(run_slice(found, tmp_path), seen.data)


def test_datasets_of_tensorflow(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    script = """
        import keras
        import numpy as np
        import tensorflow as tf
        from watched import Watch

        keras.utils.set_random_seed(3)
        BATCH = 4
        rescale = keras.layers.Rescaling(1 / 10)

        def augment(x, y):
            return x + tf.random.uniform(tf.shape(x)), y

        class Trainer:
            def __init__(self, rows):
                self.rows = rows
                self.net = None

            def load(self):
                x = np.random.rand(self.rows, 2).astype("float32")
                data = tf.data.Dataset.from_tensor_slices((x, x[:, :1]))
                self.train = data.shuffle(8).map(augment).batch(BATCH)
                self.train = self.train.map(lambda x, y: (rescale(x), y))

            def build(self):
                self.net = keras.Sequential([keras.layers.Dense(1)])
                self.net.compile(loss="mse")

            def run(self):
                self.load()
                self.build()
                self.net.fit(self.train, verbose=0, callbacks=[Watch()])

        Trainer(8).run()
        """
    with pytest.raises(AssertionError, match="did not call fit"):  # of the watched model
        run_to_fit(script, tmp_path)
    found = Watch.found
    assert found is not None
    assert found.problems == ()
    first, second = run_slice(found, tmp_path), run_slice(found, tmp_path)
    assert_same(first["x"], second["x"])
    assert isinstance(next(iter(first["x"]))[0].shape[0], int)
    assert FitReachedError is not None
