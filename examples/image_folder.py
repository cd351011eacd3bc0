"""A convolutional network trained from a folder of PNG files through tf.data, with ModelKB.

The script draws circles, crosses and squares into a temporary folder, one sub-folder a class.
Run it with: python examples/image_folder.py (Keras needs Pillow to write the images)
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from modelkb_callbacks import ModelKB

CLASS_NAMES = ["circle", "cross", "square"]
IMAGES_PER_CLASS = 150
IMAGE_SIZE = (32, 32)
EPOCHS = 8
BATCH_SIZE = 32
SEED = 123

keras.utils.set_random_seed(SEED)
rng = np.random.default_rng(SEED)


def draw_shape(name):
    """Return one RGB image of the named shape, of a random place, size and colour."""
    radius = rng.integers(6, 11)
    row, column = rng.integers(radius, np.array(IMAGE_SIZE) - radius)
    rows, columns = np.indices(IMAGE_SIZE)
    dy, dx = np.abs(rows - row), np.abs(columns - column)
    if name == "circle":
        mask = dy**2 + dx**2 <= radius**2
    elif name == "square":
        mask = np.maximum(dy, dx) <= radius
    else:
        mask = (np.minimum(dy, dx) <= 2) & (np.maximum(dy, dx) <= radius)
    image = rng.normal(50.0, 15.0, size=(*IMAGE_SIZE, 3))
    image[mask] += rng.uniform(80.0, 180.0, size=3)
    return image.clip(0, 255)


model = keras.Sequential([keras.Input(shape=(*IMAGE_SIZE, 3))], name="shapes_cnn")
for filters in (16, 32, 64):
    model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(layers.MaxPooling2D())
model.add(layers.GlobalMaxPooling2D())
model.add(layers.Dense(len(CLASS_NAMES), activation="softmax"))
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

rescale = layers.Rescaling(1.0 / 255)
augment = keras.Sequential([layers.RandomFlip(), layers.RandomContrast(0.2)])

with tempfile.TemporaryDirectory() as folder:
    for name in CLASS_NAMES:
        Path(folder, name).mkdir()
        for i in range(IMAGES_PER_CLASS):
            keras.utils.save_img(Path(folder, name, f"{i}.png"), draw_shape(name), scale=False)

    options = {"image_size": IMAGE_SIZE, "batch_size": BATCH_SIZE, "seed": SEED}
    train_ds, val_ds = keras.utils.image_dataset_from_directory(
        folder, validation_split=0.2, subset="both", **options
    )
    # Shuffle and augment after the cache, so that every epoch sees something new.
    train_ds = train_ds.map(lambda x, y: (rescale(x), y)).cache().shuffle(len(train_ds))
    train_ds = train_ds.map(lambda x, y: (augment(x, training=True), y)).prefetch(tf.data.AUTOTUNE)
    val_ds = val_ds.map(lambda x, y: (rescale(x), y)).cache().prefetch(tf.data.AUTOTUNE)
    # shuffle=False: the dataset shuffles itself, and Keras warns about its default of True.
    model.fit(
        train_ds,
        epochs=EPOCHS,
        validation_data=val_ds,
        callbacks=[ModelKB(project="examples")],
        shuffle=False,
        verbose=2,
    )
    val_loss, val_accuracy = model.evaluate(val_ds, verbose=0)
print(f"Validation accuracy: {val_accuracy:.3f}")
