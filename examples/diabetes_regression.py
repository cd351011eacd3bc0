"""A dense network that predicts the progress of diabetes, with early stopping and ModelKB.

A Normalization layer, adapted on the training part only, makes the scaling part of the model.
Run it with: python examples/diabetes_regression.py
"""

import keras
from keras import layers
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from modelkb_callbacks import ModelKB

EPOCHS = 60
BATCH_SIZE = 32
PATIENCE = 6

keras.utils.set_random_seed(1)

# scaled=False gives the measured values: age in years, blood pressure in mmHg and so on.
features, target = load_diabetes(return_X_y=True, scaled=False)
features = features.astype("float32")
target = target.astype("float32")

x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.2, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)

normalization = layers.Normalization()
normalization.adapt(x_train)

model = keras.Sequential(
    [
        keras.Input(shape=(features.shape[1],)),
        normalization,
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1),
    ],
    name="diabetes_regressor",
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-2),
    loss="mse",
    metrics=["mae"],
)

early_stopping = keras.callbacks.EarlyStopping(
    monitor="val_loss", patience=PATIENCE, restore_best_weights=True
)
model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    validation_data=(x_val, y_val),
    callbacks=[early_stopping, ModelKB(project="examples")],
    verbose=2,
)

test_mse, test_mae = model.evaluate(x_test, y_test, verbose=0)
print(f"Test mean absolute error: {test_mae:.1f}")
