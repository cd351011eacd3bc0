"""A training loop of one's own, recorded as a block: what only the loop knows is logged.

The model, its weights, the code, the environment and the test data are recorded by themselves.
Run it with: python examples/own_training_loop.py
"""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from modelkb_callbacks import experiment

EPOCHS = 5
BATCH_SIZE = 64
FIRST_LEARNING_RATE = 1e-1

keras.utils.set_random_seed(2)
shuffle = np.random.default_rng(2)

digits = load_digits()
pixels = (digits.data / 16.0).astype("float32")
x_train, x_test, y_train, y_test = train_test_split(
    pixels, digits.target, test_size=0.25, random_state=0
)

model = keras.Sequential(
    [
        keras.Input(shape=(pixels.shape[1],)),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ],
    name="digits_by_hand",
)
model.compile(
    optimizer=keras.optimizers.SGD(FIRST_LEARNING_RATE, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

with experiment(model, project="examples") as run:
    run.log_params(batch_size=BATCH_SIZE, schedule="halved after each epoch")
    for epoch in range(EPOCHS):
        model.optimizer.learning_rate = FIRST_LEARNING_RATE / 2**epoch
        order = shuffle.permutation(len(x_train))
        for start in range(0, len(order), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            logs = model.train_on_batch(x_train[rows], y_train[rows], return_dict=True)
        model.reset_metrics()
        run.log(epoch=epoch, **logs)
        print(f"epoch {epoch}: loss {logs['loss']:.3f}")

    # Recorded as the test split, with its confusion matrix.
    test = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    if test["accuracy"] > 0.9:
        run.tag("good")
    run.note("Momentum with a halved rate; see whether more epochs help.")

print(f"Test accuracy: {test['accuracy']:.2f}")
