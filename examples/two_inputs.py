"""A functional model with two named inputs, an image and a row of numbers, recorded by ModelKB.

The data is made up with NumPy: the class depends on both inputs, so neither is enough alone.
Run it with: python examples/two_inputs.py
"""

import keras
import numpy as np
from keras import layers

from modelkb_callbacks import ModelKB

NUM_SAMPLES = 2000
IMAGE_SIZE = 16
NUM_FEATURES = 6
EPOCHS = 10
BATCH_SIZE = 64


def make_data(num_samples):
    """Return the inputs as a dict of arrays, and the 0/1 target."""
    rng = np.random.default_rng(7)
    image = rng.normal(0.0, 0.3, size=(num_samples, IMAGE_SIZE, IMAGE_SIZE, 1))
    tabular = rng.normal(size=(num_samples, NUM_FEATURES))

    # Half of the images show a bright patch, at a random place.
    has_patch = rng.integers(0, 2, size=num_samples)
    for i in np.flatnonzero(has_patch):
        row, column = rng.integers(0, IMAGE_SIZE - 5, size=2)
        image[i, row : row + 5, column : column + 5] += 1.0

    score = 2.0 * (has_patch - 0.5) + tabular[:, 0] - 0.5 * tabular[:, 1]
    target = (score + rng.normal(0.0, 0.2, size=num_samples) > 0).astype("float32")
    return {"image": image.astype("float32"), "tabular": tabular.astype("float32")}, target


def build_model():
    """Join a convolutional branch and a dense branch before one sigmoid output."""
    image = keras.Input(shape=(IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    x = layers.Conv2D(16, 3, activation="relu")(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.GlobalMaxPooling2D()(x)

    tabular = keras.Input(shape=(NUM_FEATURES,), name="tabular")
    y = layers.Dense(32, activation="relu")(tabular)

    joined = layers.concatenate([x, y])
    joined = layers.Dense(32, activation="relu")(joined)
    output = layers.Dense(1, activation="sigmoid", name="target")(joined)
    return keras.Model({"image": image, "tabular": tabular}, output, name="two_inputs")


def main():
    """Train on 80 % of the samples and report the accuracy on the others."""
    inputs, target = make_data(NUM_SAMPLES)
    split = int(0.8 * NUM_SAMPLES)
    x_train, y_train = {name: x[:split] for name, x in inputs.items()}, target[:split]
    x_test, y_test = {name: x[split:] for name, x in inputs.items()}, target[split:]

    model = build_model()
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_split=0.2,
        callbacks=[ModelKB(project="examples")],
        verbose=2,
    )
    results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    print(f"Test accuracy: {results['accuracy']:.3f}")


if __name__ == "__main__":
    main()
