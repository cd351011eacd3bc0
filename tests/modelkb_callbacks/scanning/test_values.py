"""Values as they are at a place, with what only a run can tell left open."""

from __future__ import annotations

from typing import Any

import pytest

from scanned import reasons, scanned

_START = "import keras\nmodel = keras.Sequential()\n"

KNOWN: dict[str, tuple[str, Any]] = {
    "constant": ("n = 7\nmodel.fit(x, epochs=n)", 7),
    "arithmetic": ("A = 3\nB = A * 2 + 1\nmodel.fit(x, epochs=B ** 2 // 2)", 24),
    "int of a float": ("model.fit(x, epochs=int(1e3))", 1000),
    "unpacked": ("epochs, (size, rate) = 4, (32, 0.1)\nmodel.fit(x, epochs=epochs)", 4),
    "chained": ("a = b = 6\nmodel.fit(x, epochs=b)", 6),
    "before it is changed": ("n = 1\nmodel.fit(x, epochs=n)\nn = 500", 1),
    "after a change": ("n = 1\nn = 5\nmodel.fit(x, epochs=n)", 5),
    "added to": ("n = 1\nn += 5\nmodel.fit(x, epochs=n)", 6),
    "in branches alike": ("if gpu():\n    n = 3\nelse:\n    n = 3\nmodel.fit(x, epochs=n)", 3),
    "in a branch that is not taken": (
        "FAST = False\nn = 9\nif FAST:\n    n = 1\nmodel.fit(x, epochs=n)",
        9,
    ),
    "conditional expression": ("FAST = True\nmodel.fit(x, epochs=1 if FAST else 50)", 1),
    "main guard": ("n = 2\nif __name__ == '__main__':\n    model.fit(x, epochs=n)", 2),
    "list": ("sizes = [10, 20, 30]\nmodel.fit(x, epochs=sizes[-1])", 30),
    "length": ("model.fit(x, epochs=len('abcd'))", 4),
    "dictionary": ("c = {'epochs': 8}\nmodel.fit(x, epochs=c['epochs'])", 8),
    "get": ("c = {}\nmodel.fit(x, epochs=c.get('epochs', 12))", 12),
    "update": ("c = dict(epochs=8)\nc.update({'epochs': 9})\nmodel.fit(x, epochs=c['epochs'])", 9),
    "expanded": ("c = dict(epochs=8, batch_size=2)\nmodel.fit(x, **c)", 8),
    "joined": ("a = {'epochs': 3}\nb = {**a, 'batch_size': 1}\nmodel.fit(x, **b)", 3),
    "nested": ("c = {'train': {'epochs': 11}}\nmodel.fit(x, epochs=c['train']['epochs'])", 11),
    "closure": (
        "def outer():\n"
        "    n = 5\n"
        "    def inner():\n"
        "        model.fit(x, epochs=n)\n"
        "    inner()\n"
        "outer()",
        5,
    ),
    "global": (
        "n = 1\ndef change():\n    global n\n    n = 4\nchange()\nmodel.fit(x, epochs=n)",
        4,
    ),
    "lambda": ("double = lambda v: v * 2\nmodel.fit(x, epochs=double(6))", 12),
    "walrus": ("if (n := 6) > 2:\n    model.fit(x, epochs=n)", 6),
    "loop over one": ("for n in [6]:\n    model.fit(x, epochs=n)", 6),
    "max": ("model.fit(x, epochs=max(2, min(9, 5)))", 5),
    "compared": ("SIZE = 3\nmodel.fit(x, epochs=10 if 1 < SIZE < 5 else 20)", 10),
    "getattr": ("class C:\n    epochs = 13\nmodel.fit(x, epochs=getattr(C, 'epochs'))", 13),
    "the first of or": ("given = None\nmodel.fit(x, epochs=given or 14)", 14),
    "after an exit": (
        "n = 3\nimport sys\nif bad():\n    n = 4\n    sys.exit(1)\nmodel.fit(x, epochs=n)",
        3,
    ),
}


@pytest.mark.parametrize(("source", "epochs"), KNOWN.values(), ids=KNOWN)
def test_known(source: str, epochs: Any) -> None:
    (fit,) = scanned_with_start(source).fit

    assert fit.epochs == epochs
    assert type(fit.epochs) is type(epochs)


def scanned_with_start(source: str) -> Any:
    return scanned(_START + source)


OPEN: dict[str, tuple[str, str, str]] = {
    "in branches": (
        "if gpu():\n    n = 3\nelse:\n    n = 4\nmodel.fit(x, epochs=n)",
        "n",
        "one of several: 3, 4",
    ),
    "changed in a loop": (
        "n = 1\nfor _ in range(3):\n    model.fit(x, epochs=n)\n    n += 10",
        "n",
        "one of several: 1, 11",
    ),
    "over a list": (
        "for n in (5, 10):\n    model.fit(x, epochs=n)",
        "n",
        "one of several: 5, 10",
    ),
    "called twice": (
        "def train(n):\n    model.fit(x, epochs=n)\ntrain(2)\ntrain(3)",
        "n",
        "different from call to call: 2, 3",
    ),
    "command line": (
        "import sys\nmodel.fit(x, epochs=int(sys.argv[1]))",
        "int(sys.argv[1])",
        "an argument of the command line",
    ),
    "of an unknown": (
        "from settings import EPOCHS\nmodel.fit(x, epochs=EPOCHS * 2)",
        "EPOCHS * 2",
        "computed",
    ),
    "not defined": (
        "model.fit(x, epochs=EPOCHS)",
        "EPOCHS",
        "'EPOCHS' is not defined in this source",
    ),
    "a bomb": ("model.fit(x, epochs=9 ** 9 ** 9)", "9 ** 9 ** 9", "computed"),
    "no zero": ("model.fit(x, epochs=1 // 0)", "1 // 0", "computed"),
    "argument that nobody passes": (
        "def train(n):\n    model.fit(x, epochs=n)",
        "n",
        "the argument 'n' of train is known only in a run",
    ),
    "an expanded unknown": (
        "model.fit(x, **load())",
        "**",
        "what * or ** brings to fit is known only in a run",
    ),
}


@pytest.mark.parametrize(("source", "expression", "reason"), OPEN.values(), ids=OPEN)
def test_left_open(source: str, expression: str, reason: str) -> None:
    found = scanned_with_start(source)

    assert [fit.epochs for fit in found.fit] == [None]
    if expression == "**":
        assert reason in reasons(found).values()
    else:
        assert reasons(found)[expression] == reason


def test_texts_are_put_together() -> None:
    source = """
        import numpy as np
        import os
        from pathlib import Path

        ROOT = "data"
        name, fold = "digits", 3
        np.load(f"{ROOT}/{name}-{fold:02d}.npy")
        np.load("{}/{n}.npy".format(ROOT, n=name))
        np.load("%s/%s-%d.npy" % (ROOT, name, fold))
        np.load(os.path.join(ROOT, name + ".npy"))
        np.load(Path(ROOT) / "more" / "x.npy")
        np.load("/".join([ROOT, "y.npy"]))
    """

    assert [dataset.source for dataset in scanned(source).datasets] == [
        "data/digits-03.npy",
        "data/digits.npy",
        "data/digits-3.npy",
        "data/digits.npy",
        "data/more/x.npy",
        "data/y.npy",
    ]
