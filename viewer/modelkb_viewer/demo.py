"""The training behind ``modelkb demo``."""

from __future__ import annotations

from modelkb_store.errors import MissingPackageError

_EPOCHS = 5
_SEED = 0


def train_digits(store: str | None, *, verbose: int) -> str:
    """Train a classifier on scikit-learn's bundled handwritten digits, and record it.

    Args:
        store: Folder of the store, or None for the default one.
        verbose: What Keras shows: 0 nothing, 1 bars, 2 a line for each epoch.

    Returns:
        The experiment's id.

    Raises:
        MissingPackageError: Keras, its backend or scikit-learn is not installed.
    """
    try:
        import keras
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        from modelkb_callbacks import ModelKB
    except ImportError as error:
        raise MissingPackageError(
            error.name or "a package", "The demo", "pip install 'modelkb[tensorflow,demo]'"
        ) from error

    keras.utils.set_random_seed(_SEED)
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=_SEED)

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    # strict: a demo that records nothing should say why, not warn.
    recorder = ModelKB(store=store, project="digits", tags=["demo"], strict=True)
    model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        epochs=_EPOCHS,
        verbose=verbose,
        callbacks=[recorder],
    )
    assert recorder.experiment_id is not None
    return recorder.experiment_id
