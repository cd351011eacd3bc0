"""A small convolutional network that reads handwritten digits, recorded by ModelKB.

The 8 x 8 pixel digits come with scikit-learn; the labels are plain integers.
Run it with: python examples/digits_classifier.py
"""

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modelkb_callbacks import ModelKB

EPOCHS = 5
BATCH_SIZE = 32
NUM_CLASSES = 10

keras.utils.set_random_seed(42)

# Pixels run from 0 to 16; scale them to [0, 1] and add a channel axis.
digits = load_digits()
images = digits.images[..., None].astype("float32") / 16.0
labels = digits.target

x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.2, stratify=labels, random_state=0
)
x_train, x_val, y_train, y_val = train_test_split(
    x_train, y_train, test_size=0.2, stratify=y_train, random_state=0
)

model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(32, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPooling2D(pool_size=2),
        layers.Conv2D(64, kernel_size=3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(NUM_CLASSES, activation="softmax"),
    ],
    name="digits_cnn",
)
model.summary()

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    validation_data=(x_val, y_val),
    callbacks=[ModelKB(project="examples")],
    verbose=2,
)

test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {test_accuracy:.3f}")
