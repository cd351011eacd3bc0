"""A training whose hyperparameters are tuned by hand: what bytes_to_regenerate.py runs many times.

It reads handwritten digits, with a layer, a metric and a callback of its own, and is as long as
such scripts are. The constants at the top are what one changes between two runs.

    python benchmarks/tuned_training.py
"""

import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modelkb_callbacks import ModelKB

SEED = 7
EPOCHS = 1
BATCH_SIZE = 64
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.004
CLIP_NORM = 1.0
LABEL_SMOOTHING = 0.1
PATIENCE = 3

UNITS = 16
FILTERS = (4, 8)
DROPOUT = 0.3

NUM_CLASSES = 10
SAMPLES = 240
IMAGE_SHAPE = (8, 8, 1)

keras.utils.set_random_seed(SEED)


@keras.saving.register_keras_serializable(package="digits")
class SqueezeExcite(layers.Layer):
    """Weights each channel by what all of them say."""

    def __init__(self, ratio=2, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        """Make the two layers of the gate."""
        channels = input_shape[-1]
        self.squeeze = layers.Dense(channels // self.ratio, activation="relu")
        self.excite = layers.Dense(channels, activation="sigmoid")
        self.squeeze.build((input_shape[0], channels))
        self.excite.build((input_shape[0], channels // self.ratio))

    def call(self, inputs):
        """Return the inputs, each channel times its weight."""
        mean = ops.mean(inputs, axis=(1, 2))
        gate = self.excite(self.squeeze(mean))
        return inputs * ops.reshape(gate, (-1, 1, 1, ops.shape(inputs)[-1]))

    def get_config(self):
        """Return what the layer was made with."""
        return {**super().get_config(), "ratio": self.ratio}


@keras.saving.register_keras_serializable(package="digits")
def confidence(y_true, y_pred):
    """Return how sure the model is of the right class, on the average."""
    return ops.mean(ops.sum(y_true * y_pred, axis=-1))


class StopWhenSure(keras.callbacks.Callback):
    """Ends the training once the validation's confidence has been high for long enough."""

    def __init__(self, threshold=0.98, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.count = 0

    def on_epoch_end(self, epoch, logs=None):
        """Count the epochs that are good enough."""
        sure = (logs or {}).get("val_confidence", 0.0) > self.threshold
        self.count = self.count + 1 if sure else 0
        if self.count >= self.patience:
            self.model.stop_training = True


def load_images(count):
    """Return that many pictures in [0, 1], and their classes as one-hot rows."""
    digits = load_digits()
    images = digits.images[:count, ..., None].astype("float32") / 16.0
    return images, keras.utils.to_categorical(digits.target[:count], NUM_CLASSES)


def shifted(images, labels):
    """Return the pictures, and after them each moved by one pixel to the right."""
    moved = np.roll(images, shift=1, axis=2)
    moved[:, :, 0] = 0.0
    return np.concatenate([images, moved]), np.concatenate([labels, labels])


def convolution_block(x, filters, name):
    """Return a convolution with normalization, whose channels are weighted."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = SqueezeExcite(name=f"{name}_gate")(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def build_model():
    """Return the classifier."""
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = inputs
    for number, filters in enumerate(FILTERS, start=1):
        x = convolution_block(x, filters, f"block{number}")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(UNITS, activation="relu", name="hidden")(x)
    x = layers.Dropout(DROPOUT, name="dropout")(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax", name="digit")(x)
    return keras.Model(inputs, outputs, name="digit_reader")


images, labels = load_images(SAMPLES)
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.2, stratify=labels, random_state=0
)
x_train, x_val, y_train, y_val = train_test_split(
    x_train, y_train, test_size=0.25, stratify=y_train, random_state=0
)
x_train, y_train = shifted(x_train, y_train)

model = build_model()
model.compile(
    optimizer=keras.optimizers.AdamW(
        learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY, clipnorm=CLIP_NORM
    ),
    loss=keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
    metrics=["accuracy", confidence],
)
history = model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    validation_data=(x_val, y_val),
    callbacks=[
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=PATIENCE),
        StopWhenSure(patience=2 * PATIENCE),
        ModelKB(project="tuning"),
    ],
    verbose=0,
)

results = model.evaluate(x_test, y_test, batch_size=128, verbose=0, return_dict=True)
predicted = model.predict(x_test, verbose=0).argmax(axis=-1)
wrong = np.flatnonzero(predicted != y_test.argmax(axis=-1))
print(f"epochs {len(history.epoch)}, learning rate {LEARNING_RATE:g}, batch size {BATCH_SIZE}")
for metric, value in results.items():
    print(f"test {metric}: {value:.4f}")
print(f"{len(wrong)} of {len(y_test)} pictures of the test were read wrongly")
