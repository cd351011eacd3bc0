"""Transfer learning in two recorded runs: a base network, then a new head on the frozen base.

The base learns the digits 0 to 4; its features are then reused to tell the digits 5 to 9 apart.
Run it with: python examples/transfer_learning.py
"""

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modelkb_callbacks import ModelKB

BASE_EPOCHS = 8
HEAD_EPOCHS = 12
BATCH_SIZE = 32
NUM_CLASSES = 5

keras.utils.set_random_seed(2024)

digits = load_digits()
images = digits.images[..., None].astype("float32") / 16.0
labels = digits.target
is_low = labels < NUM_CLASSES

# 1. Train the base, under a head for the digits 0 to 4.
base = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.Flatten(),
    ],
    name="base",
)
base_model = keras.Sequential(
    [base, layers.Dense(NUM_CLASSES, activation="softmax")], name="digits_0_to_4"
)
base_model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

x_train, x_val, y_train, y_val = train_test_split(
    images[is_low], labels[is_low], test_size=0.2, random_state=0
)
base_model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=BASE_EPOCHS,
    validation_data=(x_val, y_val),
    callbacks=[ModelKB(project="examples", name="base")],
    verbose=2,
)

# 2. Freeze the base and train only a new head, for the digits 5 to 9.
base.trainable = False

inputs = keras.Input(shape=(8, 8, 1))
x = base(inputs, training=False)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
model = keras.Model(inputs, outputs, name="digits_5_to_9")
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

x_train, x_val, y_train, y_val = train_test_split(
    images[~is_low], labels[~is_low] - NUM_CLASSES, test_size=0.2, random_state=0
)
model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=HEAD_EPOCHS,
    validation_data=(x_val, y_val),
    callbacks=[ModelKB(project="examples", name="fine-tuned head")],
    verbose=2,
)

val_loss, val_accuracy = model.evaluate(x_val, y_val, verbose=0)
print(f"Validation accuracy on the digits 5 to 9: {val_accuracy:.3f}")
