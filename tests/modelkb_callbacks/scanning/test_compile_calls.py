"""Calls of compile: optimizer, learning rate, loss and metrics."""

from __future__ import annotations

from typing import Any

import pytest

from scanned import reasons, scanned

_START = """
import keras
from keras import losses, metrics, optimizers
from keras.optimizers import *
model = keras.Sequential()
"""
Compiled = tuple[str | None, float | None, Any, str]

COMPILES: dict[str, tuple[str, list[Compiled]]] = {
    "texts": ("model.compile('adam', 'mse', ['mae'])", [("adam", None, "mse", "mae")]),
    "by name": (
        "model.compile(loss='mse', metrics=['mae', 'mse'], optimizer='sgd')",
        [("sgd", None, "mse", "mae mse")],
    ),
    "objects": (
        "mse, auc = losses.MeanSquaredError(), metrics.AUC(name='a')\n"
        "model.compile(Adam(learning_rate=3e-4), mse, [auc])",
        [("Adam", 3e-4, "MeanSquaredError", "AUC")],
    ),
    "old names": ("model.compile(SGD(lr=0.01, decay=1e-6), 'mse')", [("SGD", 0.01, "mse", "")]),
    "rate by position": ("model.compile(RMSprop(0.2), 'mse')", [("RMSprop", 0.2, "mse", "")]),
    "by position on a model from elsewhere": (
        "from ours import build\na = build()\na.compile('SGD', 'mse')\n"
        "build().compile(Adam(0.1), 'mse')\nbuild().compile('x', 'y')\n"
        "def train(model, opt):\n    model.compile(opt, 'mae', ['acc'])",
        [("SGD", None, "mse", ""), ("Adam", 0.1, "mse", ""), (None, None, "mae", "acc")],
    ),
    "model on several GPUs": (
        "from keras.utils import multi_gpu_model\n"
        "both = multi_gpu_model(model, gpus=2)\nboth.compile('sgd', 'mse')",
        [("sgd", None, "mse", "")],
    ),
    "in variables": (
        "rate = 1e-2\n"
        "opt = Adam(rate / 10)\n"
        "kinds = ['acc']\n"
        "model.compile(opt, metrics=kinds, loss='mse')",
        [("Adam", 1e-3, "mse", "acc")],
    ),
    "functions": (
        "def ours(a, b):\n"
        "    return a\n"
        "model.compile('adam', loss=ours, metrics=[ours, keras.metrics.mae])",
        [("adam", None, "ours", "ours mae")],
    ),
    "function that makes a loss": (
        "def weighted(w):\n"
        "    def loss(a, b):\n"
        "        return w\n"
        "    return loss\n"
        "model.compile('adam', loss=weighted(2))",
        [("adam", None, "weighted", "")],
    ),
    "lambda": ("model.compile('adam', loss=lambda a, b: b)", [("adam", None, "<lambda>", "")]),
    "several losses": (
        "loss = {'a': 'mse', 'b': losses.Huber()}\n"
        "model.compile('adam', loss, metrics={'a': ['mae'], 'b': 'acc'})",
        [("adam", None, ["mse", "Huber"], "mae acc")],
    ),
    "keyword dictionary": (
        "setting = dict(optimizer=Adam(0.5), loss='mse')\nmodel.compile(**setting)",
        [("Adam", 0.5, "mse", "")],
    ),
    "from a function": (
        "def optimizer(rate, name='adam'):\n"
        "    if name == 'adam':\n"
        "        return Adam(rate)\n"
        "    return SGD(rate)\n"
        "model.compile(optimizer(0.1), 'mse')",
        [("Adam", 0.1, "mse", "")],
    ),
    "in a helper": (
        "def ready(m, rate=0.3):\n    m.compile(Adam(rate), 'mse')\n    return m\nready(model)",
        [("Adam", 0.3, "mse", "")],
    ),
    "old optimizer function": (
        "model.compile(optimizers.adam(lr=0.1), 'mse')",
        [("adam", 0.1, "mse", "")],
    ),
    "scaled": (
        "opt = keras.mixed_precision.LossScaleOptimizer(Adam(0.1))\nmodel.compile(opt, 'mse')",
        [("Adam", 0.1, "mse", "")],
    ),
    "distributed": (
        "import horovod.keras as hvd\n"
        "opt = hvd.DistributedOptimizer(SGD(0.1))\n"
        "model.compile(opt, 'mse')",
        [("SGD", 0.1, "mse", "")],
    ),
    "own optimizer": (
        "class Ours(Adam):\n    pass\nmodel.compile(Ours(learning_rate=0.1), 'mse')",
        [("Ours", 0.1, "mse", "")],
    ),
    "rate set later": (
        "opt = SGD(0.1)\nopt.learning_rate = 0.01\nmodel.compile(opt, 'mse')\n"
        "opt.lr = 0.02\nmodel.compile(opt, 'mse')",
        [("SGD", 0.01, "mse", ""), ("SGD", 0.02, "mse", "")],
    ),
    "rate assigned": (
        "opt = Adam()\nopt.learning_rate = 1.0\nopt.learning_rate.assign(0.01)\n"
        "model.compile(opt, 'mse')\nsetattr(opt, 'lr', 0.5)\nmodel.compile(opt, 'mse')",
        [("Adam", 0.01, "mse", ""), ("Adam", 0.5, "mse", "")],
    ),
    "rate set through the backend": (
        "from keras import backend as K\nopt = Adam(0.5)\nrate = opt.lr\n"
        "K.set_value(rate, K.get_value(opt.lr) / 2)\nmodel.compile(opt, 'mse')\n"
        "opt.lr *= 2\nmodel.compile(opt, 'mse')",
        [("Adam", 0.25, "mse", ""), ("Adam", 0.5, "mse", "")],
    ),
    "rate of the model's optimizer": (
        "opt = Adam(0.1)\nmodel.compile(opt, 'mse')\nmodel.optimizer.learning_rate = 0.01\n"
        "other = keras.Sequential()\nother.compile(opt, 'mae')\n"
        "model.optimizer.learning_rate.assign(0.02)\nmodel.compile(model.optimizer, 'mse')",
        [("Adam", 0.1, "mse", ""), ("Adam", 0.01, "mae", ""), ("Adam", 0.02, "mse", "")],
    ),
    "rate of a wrapped optimizer": (
        "opt = keras.mixed_precision.LossScaleOptimizer(Adam(0.1))\nopt.learning_rate = 0.01\n"
        "model.compile(opt, 'mse')",
        [("Adam", 0.01, "mse", "")],
    ),
    "rate of an own optimizer": (
        "class Ours(Adam):\n    def __init__(self, learning_rate):\n"
        "        self.learning_rate = variable(learning_rate)\n"
        "opt = Ours(0.1)\nmodel.compile(opt, 'mse')\n"
        "opt.learning_rate.assign(0.01)\nmodel.compile(opt, 'mse')",
        [("Ours", 0.1, "mse", ""), ("Ours", 0.01, "mse", "")],
    ),
    "rate set in branches": (
        "opt = Adam(0.1)\n"
        "if gpu():\n    opt.learning_rate = 0.01\n    model.compile(opt, 'mse')\n"
        "else:\n    model.compile(opt, 'mae')\n"
        "opt.learning_rate = 0.3\n"
        "if False:\n    opt.learning_rate = 0.4\n    model.compile(opt, 'mse')\n"
        "model.compile(opt, 'mse')",
        [
            ("Adam", 0.01, "mse", ""),
            ("Adam", 0.1, "mae", ""),
            ("Adam", 0.4, "mse", ""),
            ("Adam", 0.3, "mse", ""),
        ],
    ),
    "rate set in a function": (
        "def ready(m):\n    opt = Adam(0.1)\n    opt.learning_rate = 0.01\n"
        "    m.compile(opt, loss='mse')",
        [("Adam", 0.01, "mse", "")],
    ),
    "several models": (
        "model.compile('adam', 'mse')\nother = keras.Sequential()\nother.compile('sgd', 'mae')",
        [("adam", None, "mse", ""), ("sgd", None, "mae", "")],
    ),
    "own compile": (
        "class Distiller(keras.Model):\n    def compile(self, metrics, optimizer, student_loss):\n"
        "        super().compile(optimizer=optimizer, metrics=metrics)\n"
        "Distiller().compile(['acc'], Adam(0.1), student_loss='mse')",
        [("Adam", 0.1, None, "acc")],
    ),
    "two optimizers": (
        "class GAN(keras.Model):\n"
        "    def compile(self, d_optimizer, g_optimizer):\n"
        "        super().compile()\n"
        "GAN().compile(d_optimizer=Adam(1.0), g_optimizer=Adam(2.0))",
        [(None, None, None, "")],
    ),
    "not a model": ("import re\nre.compile('optimizer')\ncompile('1', 'f', 'eval')", []),
    "unknown model": (
        "from zoo import build\nbuild().compile(optimizer='adam', loss='mse')",
        [("adam", None, "mse", "")],
    ),
}


@pytest.mark.parametrize(("source", "compiled"), COMPILES.values(), ids=COMPILES)
def test_compile(source: str, compiled: list[Compiled]) -> None:
    found = scanned(_START + source)

    assert [
        (each.optimizer, each.learning_rate, each.loss, " ".join(each.metrics))
        for each in found.compile
    ] == compiled


OPEN: dict[str, tuple[str, Compiled, dict[str, str]]] = {
    "optimizer of a condition": (
        "opt = Adam(0.1) if gpu() else SGD(0.1)\nmodel.compile(opt, 'mse')",
        (None, 0.1, "mse", ""),
        {"opt": "one of several: Adam, SGD"},
    ),
    "rate of a schedule": (
        "s = optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)\nmodel.compile(Adam(s), 'mse')",
        ("Adam", None, "mse", ""),
        {"s": "not a value that can be told without running"},
    ),
    "rate of the command line": (
        "import sys\nmodel.compile(Adam(float(sys.argv[1])), 'mse')",
        ("Adam", None, "mse", ""),
        {"float(sys.argv[1])": "an argument of the command line"},
    ),
    "schedule that is set": (
        "opt = Adam(0.1)\nopt.learning_rate = optimizers.schedules.CosineDecay(0.1, 100)\n"
        "model.compile(opt, 'mse')",
        ("Adam", None, "mse", ""),
        {"opt.learning_rate": "not a value that can be told without running"},
    ),
    "unknown rate that is set": (
        "opt = Adam(0.1)\nopt.learning_rate.assign(best())\nmodel.compile(opt, 'mse')",
        ("Adam", None, "mse", ""),
        {"opt.learning_rate": "the result of a call that is not followed"},
    ),
    "rate set on a condition": (
        "opt = Adam(0.1)\nif gpu():\n    opt.lr = 0.01\nmodel.compile(opt, 'mse')",
        ("Adam", None, "mse", ""),
        {"opt.lr": "one of several: 0.01, 0.1"},
    ),
    "rate set in a loop": (
        "opt = Adam(0.1)\nfor _ in range(3):\n    model.compile(opt, 'mse')\n    opt.lr = 0.01",
        ("Adam", None, "mse", ""),
        {"opt.lr": "one of several: 0.1, 0.01"},
    ),
    "rate changed by a part": (
        "opt = Adam(0.1)\nopt.learning_rate.assign_sub(0.01)\nmodel.compile(opt, 'mse')",
        ("Adam", None, "mse", ""),
        {"opt.learning_rate": "the result of assign_sub() is known only in a run"},
    ),
    "loss from elsewhere": (
        "from ours import make\nmodel.compile('adam', make(3))",
        ("adam", None, None, ""),
        {"make(3)": "the result of ours.make is known only in a run"},
    ),
    "unknown keywords": (
        "model.compile(**settings())",
        (None, None, None, ""),
        {"settings()": "what * or ** brings to compile is known only in a run"},
    ),
}


@pytest.mark.parametrize(("source", "compiled", "open_"), OPEN.values(), ids=OPEN)
def test_left_open(source: str, compiled: Compiled, open_: dict[str, str]) -> None:
    found = scanned(_START + source)

    (each,) = found.compile
    assert (each.optimizer, each.learning_rate, each.loss, " ".join(each.metrics)) == compiled
    assert reasons(found) == open_
