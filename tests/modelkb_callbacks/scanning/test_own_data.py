"""Data that comes from the script's own generators and PyDatasets."""

from __future__ import annotations

import pytest

from scanned import scanned

_HEAD = """
import keras, numpy as np, tensorflow as tf
model = keras.Sequential()
def batches(path, size=8):
    while True:
        yield size
class Images(keras.utils.PyDataset):
    def __init__(self, folder, size): self.folder = folder
    def __getitem__(self, index): return self.folder
"""

OWN: dict[str, tuple[str, list[tuple[str, str | None, int]]]] = {
    "generator": (
        "model.fit_generator(batches('a.txt'), validation_data=batches('b/'))",
        [("batches", "a.txt", 10), ("batches", "b/", 10)],
    ),
    "generator by a name": (
        "made = batches(path='train')\nmodel.fit(x=made)\nmodel.evaluate(batches(other, 'x y'))",
        [("batches", "train", 10), ("batches", None, 12)],
    ),
    "two paths": (
        "def pairs(images, masks):\n    yield 1\nmodel.fit(pairs('a.png', 'b.png'))",
        [("pairs", None, 12)],
    ),
    "what a generator gave": (
        "x, y = next(batches('a.txt'))\nmodel.fit(x / 255, y)",
        [("batches", "a.txt", 10)],
    ),
    "wrapped": (
        "def safe(path):\n    if path:\n        return batches(path)\nmodel.fit(safe('a.txt'))",
        [("batches", "a.txt", 12)],
    ),
    "method": (
        "class Reader:\n    def __init__(self, path): self.path = path\n"
        "    def read(self):\n        yield self.path\nmodel.fit(Reader('a').read())",
        [("read", None, 14)],
    ),
    "tf.data": (
        "data = tf.data.Dataset.from_generator(batches, tf.int32, args=['a.txt'])\n"
        "data = data.map(print).batch(8)\nmodel.fit(data)",
        [("batches", "a.txt", 10)],
    ),
    "tf.data of a lambda": (
        "data = tf.data.Dataset.from_generator(\n    lambda: batches('a.txt'), tf.int32\n)\n"
        "model.fit(data)",
        [("batches", "a.txt", 11)],
    ),
    "tf.data of an object": (
        "class Frames:\n    def __init__(self, root): self.root = root\n"
        "    def __call__(self):\n        yield self.root\n"
        "data = tf.data.Dataset.from_generator(Frames('videos'), output_types=tf.int32)\n"
        "model.fit(data)",
        [("Frames", "videos", 14)],
    ),
    "PyDataset": (
        "model.fit(Images('train', 8), validation_data=Images(folder='test', size=8))",
        [("Images", "train", 10), ("Images", "test", 10)],
    ),
    "PyDataset of a base": (
        "class More(Images): pass\ndata = More('train', 8)\nmodel.fit(data, callbacks=None)",
        [("More", "train", 11)],
    ),
    "loop of the script's own": (
        "for x, y in batches('a.txt'):\n    model.train_on_batch(x, y)",
        [("batches", "a.txt", 10)],
    ),
    "no training": (
        "unused = batches('a.txt')\nshown = Images('train', 8)\nprint(next(unused))\n"
        "model.fit(x, steps_per_epoch=len(shown), callbacks=[Plot(shown)])",
        [],
    ),
    "no data": (
        "from contextlib import contextmanager\n@contextmanager\n"
        "def opened(path):\n    yield path\nwith opened('a.txt') as x:\n    model.fit(x)",
        [],
    ),
}


@pytest.mark.parametrize(("source", "datasets"), OWN.values(), ids=OWN)
def test_own_data(source: str, datasets: list[tuple[str, str | None, int]]) -> None:
    found = scanned(_HEAD + source)

    assert [(each.loader, each.source, each.line) for each in found.datasets] == datasets
    assert {each.name for each in found.datasets} <= {None}
