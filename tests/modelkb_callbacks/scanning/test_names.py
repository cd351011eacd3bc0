"""The same training however Keras is imported."""

from __future__ import annotations

import pytest

from modelkb_callbacks.scanning.canonical_names import canonical, kind_of
from scanned import scanned

IMPORTS = {
    "keras": """
        import keras
        model = keras.Sequential([keras.layers.Dense(4)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
    """,
    "tf.keras": """
        import tensorflow as tf
        model = tf.keras.models.Sequential([tf.keras.layers.Dense(4)])
        model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    """,
    "tensorflow.keras by parts": """
        from tensorflow.keras import layers as L, optimizers
        from tensorflow.keras.models import Sequential as Stack
        model = Stack([L.Dense(4)])
        model.compile(optimizers.Adam(0.1), "mse")
    """,
    "private path": """
        from tensorflow.python.keras.layers import Dense
        from tensorflow.python.keras.models import Sequential
        from tensorflow.python.keras.optimizer_v2.adam import Adam
        model = Sequential([Dense(4)])
        model.compile(Adam(0.1), "mse")
    """,
    "compat.v1": """
        import tensorflow.compat.v1 as tf
        model = tf.keras.Sequential([tf.keras.layers.Dense(4)])
        model.compile(tf.train.Adam(0.1) if False else tf.keras.optimizers.Adam(0.1), "mse")
    """,
    "tf_keras": """
        import tf_keras as k
        model = k.Sequential([k.layers.Dense(4)])
        model.compile(k.optimizers.Adam(0.1), "mse")
    """,
    "stars": """
        from numpy import *
        from keras.models import *
        from keras.layers import *
        from keras.optimizers import *
        model = Sequential([Dense(4)])
        model.compile(Adam(0.1), "mse")
    """,
    "modules in variables": """
        import tensorflow as tf
        keras = tf.keras
        layers, Sequential = keras.layers, keras.Sequential
        model = Sequential([layers.Dense(4)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
    """,
    "in a function": """
        def main():
            import keras
            from keras import layers
            model = keras.Sequential([layers.Dense(4)])
            model.compile(keras.optimizers.Adam(0.1), "mse")
        main()
    """,
    "one of two": """
        try:
            from tensorflow import keras
        except ImportError:
            import keras
        model = keras.Sequential([keras.layers.Dense(4)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
    """,
    "backend called keras": """
        from keras import backend as keras
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.optimizers import Adam
        keras.set_image_data_format("channels_last")
        model = Sequential([Dense(4)])
        model.compile(Adam(0.1), "mse")
    """,
}


@pytest.mark.parametrize("source", IMPORTS.values(), ids=IMPORTS)
def test_imports_make_no_difference(source: str) -> None:
    found = scanned(source)

    assert [(model.kind, model.layers) for model in found.models] == [("sequential", ("Dense",))]
    (compiled,) = found.compile
    assert (compiled.optimizer, compiled.learning_rate, compiled.loss) == ("Adam", 0.1, "mse")
    assert found.unresolved == ()


def test_imports_are_listed_as_written() -> None:
    source = """
        from __future__ import annotations
        import numpy as np, os.path
        from tensorflow.keras import layers
        from . import sibling
    """

    assert scanned(source).imports == (".", "numpy", "os.path", "tensorflow.keras")


def test_a_name_like_a_dataset_is_no_dataset() -> None:
    source = """
        import keras
        dataset_name = "imdb"
        mnist = {"load_data": print}
        (x, y), _ = loaders.imdb.load_data()
    """

    assert scanned(source).datasets == ()


@pytest.mark.parametrize(
    ("written", "meant", "kind"),
    [
        ("tensorflow.keras.layers.Dense", "keras.layers.Dense", "layer"),
        ("keras.src.layers.core.dense.Dense", "keras.layers.core.dense.Dense", "layer"),
        ("tensorflow.losses.Huber", "keras.losses.Huber", "loss"),
        (
            "tensorflow.keras.applications.vgg16.VGG16",
            "keras.applications.vgg16.VGG16",
            "application",
        ),
        (
            "keras.applications.vgg16.preprocess_input",
            "keras.applications.vgg16.preprocess_input",
            None,
        ),
        ("keras.optimizers.schedules.ExponentialDecay",) * 2 + ("schedule",),
        ("tensorflow.train.AdamOptimizer", "tensorflow.train.AdamOptimizer", "optimizer"),
        ("keras.layers.Input", "keras.layers.Input", "input"),
        ("numpy.array", "numpy.array", None),
    ],
)
def test_canonical_names(written: str, meant: str, kind: str | None) -> None:
    assert canonical(written) == meant
    assert kind_of(meant) == kind
