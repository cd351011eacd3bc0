"""Calls of fit: epochs, batch size, validation split and callbacks."""

from __future__ import annotations

import pytest

from scanned import reasons, scanned

_START = """
import keras
from keras.callbacks import *
model = keras.Sequential()
"""
Fitted = tuple[int | None, int | None, float | None, str]

FITS: dict[str, tuple[str, list[Fitted]]] = {
    "by name": (
        "model.fit(x, y, batch_size=32, epochs=5, validation_split=0.2)",
        [(5, 32, 0.2, "")],
    ),
    "by position": (
        "model.fit(x, y, 32, 5, 1, [EarlyStopping()], 0.1)",
        [(5, 32, 0.1, "EarlyStopping")],
    ),
    "not written": ("model.fit(x, y)", [(None, None, None, "")]),
    "old names": ("model.fit(x, y, nb_epoch=7, batch_size=1)", [(7, 1, None, "")]),
    "fit_generator": (
        "model.fit_generator(rows, 100, 3, 1, [TerminateOnNaN()])",
        [(3, None, None, "TerminateOnNaN")],
    ),
    "what was compiled": (
        "from ours import Forest, Trainer\ntrees = Forest()\ntrees.compile(metrics=['acc'])\n"
        "trees.fit(x)\nother = Forest()\nother.fit(x)\n"
        "t = Trainer()\nt.inner.compile('sgd', 'mse')\nt.inner.fit(x, y, 8, 2)\nt.outer.fit(x)",
        [(None, None, None, ""), (2, 8, None, "")],
    ),
    "in a loop": ("for e in range(40):\n    model.fit(x, y, epochs=1)", [(1, None, None, "")]),
    "twice with one name": (
        "n = 100\nmodel.fit(x, y, epochs=n)\nn = 500\nmodel.fit(x, y, epochs=n)",
        [(100, None, None, ""), (500, None, None, "")],
    ),
    "both branches": (
        "AUGMENT = True\n"
        "if AUGMENT:\n"
        "    model.fit(rows(), epochs=1)\n"
        "else:\n"
        "    model.fit(x, epochs=2)",
        [(1, None, None, ""), (2, None, None, "")],
    ),
    "callbacks in a variable": (
        "calls = [CSVLogger('a'), EarlyStopping()]\n"
        "calls.append(TensorBoard())\n"
        "model.fit(x, callbacks=calls)",
        [(None, None, None, "CSVLogger EarlyStopping TensorBoard")],
    ),
    "callbacks of a function": (
        "def calls(path='a'):\n"
        "    found = [ModelCheckpoint(path)]\n"
        "    return found + [CSVLogger(path)]\n"
        "model.fit(x, callbacks=calls())",
        [(None, None, None, "ModelCheckpoint CSVLogger")],
    ),
    "callback under a condition": (
        "calls = [CSVLogger('a')]\n"
        "if verbose():\n"
        "    calls += [TensorBoard()]\n"
        "model.fit(x, callbacks=calls)",
        [(None, None, None, "CSVLogger TensorBoard")],
    ),
    "own callback and a lambda": (
        "class Ours(Callback):\n"
        "    pass\n"
        "model.fit(x, callbacks=[Ours(), LambdaCallback(on_epoch_end=print)])",
        [(None, None, None, "Ours LambdaCallback")],
    ),
    "callback of another library": (
        "from wandb.keras import WandbCallback\nmodel.fit(x, callbacks=[WandbCallback()])",
        [(None, None, None, "WandbCallback")],
    ),
    "two alike": (
        "model.fit(x, callbacks=[EarlyStopping('a'), EarlyStopping('b')])",
        [(None, None, None, "EarlyStopping EarlyStopping")],
    ),
    "model in a function": (
        "def train(m, data, epochs=3):\n"
        "    return m.fit(data, epochs=epochs)\n"
        "history = train(model, x)",
        [(3, None, None, "")],
    ),
    "argument of the only call": (
        "def train(m, epochs, size):\n"
        "    m.fit(x, epochs=epochs, batch_size=size)\n"
        "train(model, 4, size=8)",
        [(4, 8, None, "")],
    ),
    "method of a subclass": (
        "class Net(keras.Model):\n"
        "    def train(self, n=6):\n"
        "        self.fit(x, epochs=n)\n"
        "Net().train()",
        [(6, None, None, "")],
    ),
    "own fit": (
        "class Net(keras.Model):\n    def fit(self, *args, **kwargs):\n"
        "        return super().fit(*args, **kwargs)\nNet().fit(x, epochs=2)",
        [(2, None, None, "")],
    ),
    "train_on_batch": ("for rows in batches():\n    model.train_on_batch(rows)", []),
    "gradient tape": (
        "import tensorflow as tf\nfor x, y in rows:\n    with tf.GradientTape() as tape:\n"
        "        loss = model(x)\n    tape.gradient(loss, model.weights)",
        [],
    ),
    "others that fit": (
        "from sklearn.linear_model import LinearRegression\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "LinearRegression().fit(x, y)\n"
        "StandardScaler().fit(x)\n"
        "model_b = LinearRegression()\n"
        "model_b.fit(x, y)",
        [],
    ),
}


@pytest.mark.parametrize(("source", "fitted"), FITS.values(), ids=FITS)
def test_fit(source: str, fitted: list[Fitted]) -> None:
    found = scanned(_START + source)

    assert [
        (each.epochs, each.batch_size, each.validation_split, " ".join(each.callbacks))
        for each in found.fit
    ] == fitted


def test_a_callback_from_elsewhere_is_left_open() -> None:
    found = scanned(_START + "model.fit(x, callbacks=[EarlyStopping(), ours()])")

    assert [each.callbacks for each in found.fit] == [("EarlyStopping",)]
    assert list(reasons(found)) == ["[EarlyStopping(), ours()]"]


def test_a_call_on_one_of_many_models_is_one_entry() -> None:
    source = (
        "for build in (small, large):\n    build().fit(x, epochs=3, callbacks=[CSVLogger('a')])"
    )

    assert [(each.epochs, each.callbacks) for each in scanned(_START + source).fit] == [
        (3, ("CSVLogger",))
    ]


def test_a_loop_of_its_own_is_left_open() -> None:
    source = """\
        import tensorflow as tf
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        optimizer = tf.keras.optimizers.Adam(0.1)
        for x, y in rows:
            with tf.GradientTape() as tape:
                loss = model(x) - y
            slopes = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(slopes, model.trainable_variables))
    """

    found = scanned(source)

    assert (found.fit, found.compile) == ((), ())
    assert [(entry.line, entry.reason) for entry in found.unresolved] == [
        (8, "trains in a loop of its own, whose epochs only a run can tell")
    ]
