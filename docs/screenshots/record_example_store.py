"""Records the store that the README's screenshots show: real trainings of small networks.

    python docs/screenshots/record_example_store.py STORE

A random search over the hyperparameters of a classifier of handwritten digits, a regression
beside it, and a fine-tuning of the best. It takes some minutes; scikit-learn has the data.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split

from modelkb_callbacks import ModelKB
from modelkb_store import Store

RUNS = 18
CLASS_NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def digits() -> tuple[Any, Any, Any, Any]:
    """Return images of shape (samples, 8, 8, 1) in [0, 1], and their labels, in two parts."""
    x, y = load_digits(return_X_y=True)
    images = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    x_train, x_val, y_train, y_val = train_test_split(images, y, test_size=0.2, random_state=0)
    return x_train, x_val, y_train, y_val


def build_classifier(filters: int, dropout: float) -> keras.Model:
    """Return a small convolutional network."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_cnn",
    )


def search(store: str) -> None:
    """Train classifiers with hyperparameters drawn at random."""
    x_train, x_val, y_train, y_val = digits()
    draw = random.Random(1)
    for number in range(RUNS):
        keras.utils.set_random_seed(number)
        optimizer = draw.choice(["adam", "sgd", "rmsprop"])
        learning_rate = float(f"{10 ** draw.uniform(-3.5, -1.5):.2g}")
        model = build_classifier(draw.choice([8, 16, 32]), draw.choice([0.0, 0.2, 0.4]))
        model.compile(
            keras.optimizers.get(
                {"class_name": optimizer, "config": {"learning_rate": learning_rate}}
            ),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        recorder = ModelKB(
            store=store,
            project="digits",
            name=f"search {number + 1}",
            tags=["search"],
            class_names=CLASS_NAMES,
        )
        model.fit(
            x_train,
            y_train,
            batch_size=draw.choice([32, 64]),
            epochs=8,
            validation_data=(x_val, y_val),
            callbacks=[recorder],
            verbose=0,
        )


def train_the_best_further(store: str) -> None:
    """Load the best classifier from the store, and train it with a smaller learning rate."""
    x_train, x_val, y_train, y_val = digits()
    best = Store(store).experiments("digits", order_by="-metrics.val_accuracy", limit=1)
    model = Store(store).experiment(best["experiment_id"].iloc[0]).load_model()
    model.optimizer.learning_rate = 1e-4
    recorder = ModelKB(
        store=store,
        project="digits",
        name="fine-tuned",
        tags=["candidate"],
        notes="The best of the search, with a tenth of the learning rate.",
        class_names=CLASS_NAMES,
    )
    data = {"validation_data": (x_val, y_val), "epochs": 4, "verbose": 0}
    model.fit(x_train, y_train, callbacks=[recorder], **data)


def regress(store: str) -> None:
    """Train a regression in a project of its own."""
    x, y = load_diabetes(return_X_y=True)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    recorder = ModelKB(store=store, project="diabetes", name="two layers")
    model.fit(
        x.astype("float32"),
        np.asarray(y, "float32"),
        validation_split=0.2,
        epochs=30,
        callbacks=[recorder],
        verbose=0,
    )


if __name__ == "__main__":
    search(sys.argv[1])
    train_the_best_further(sys.argv[1])
    regress(sys.argv[1])
