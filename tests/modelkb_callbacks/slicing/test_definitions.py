from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

from modelkb_callbacks.slicing import Definitions, source_of

ModuleFactory = Callable[..., ModuleType]


@pytest.fixture
def module_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleFactory]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(source: str, name: str = "my_parts") -> ModuleType:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        made.append(name)
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def _run(found: Definitions) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "rebuilt"}
    exec(compile(found.text, "<definitions>", "exec"), namespace)
    return namespace


def test_class_with_all_that_it_needs_and_nothing_else(module_factory: ModuleFactory) -> None:
    module = module_factory(
        """
        import json
        import os
        import numpy as np

        UNITS = 3
        UNUSED = 4
        NAMES = ("a", "b")


        def double(value):
            return value * UNITS


        class Base:
            scale = 2


        class Mine(Base):  # a class
            def call(self, x):
                return np.asarray(double(x)) * self.scale, NAMES


        class Other:
            pass


        print("imported")
        """
    )
    found = source_of([module.Mine(), module.Mine, keras.layers.Dense(1), np.sum, len])
    assert found.text == textwrap.dedent(
        """\
        import numpy as np

        UNITS = 3
        NAMES = ("a", "b")


        def double(value):
            return value * UNITS


        class Base:
            scale = 2


        class Mine(Base):  # a class
            def call(self, x):
                return np.asarray(double(x)) * self.scale, NAMES
        """
    )
    assert found.names == ("Mine",)
    assert found.problems == ()
    value, names = _run(found)["Mine"]().call(2)
    assert (int(value), names) == (12, ("a", "b"))


def test_registered_keras_layer(module_factory: ModuleFactory) -> None:
    module = module_factory(
        """
        import keras
        from keras import layers, ops

        RATE = float("0.5")

        @keras.saving.register_keras_serializable(package="mine")
        class Scale(layers.Layer):
            def call(self, x):
                return x * ops.cast(RATE, x.dtype)

        @keras.saving.register_keras_serializable(package="mine")
        def loss(y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred)) * RATE
        """
    )
    found = source_of([module.Scale(), module.loss])
    assert "@keras.saving.register_keras_serializable" in found.text
    assert "RATE = 0.5" in found.text
    rebuilt = _run(found)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(rebuilt["Scale"]()(x), module.Scale()(x))
    assert found.names == ("Scale", "loss")


def test_two_modules(module_factory: ModuleFactory) -> None:
    module_factory(
        """
        import math
        FACTOR = 3
        class Parent:
            def value(self):
                return math.floor(FACTOR + 0.5)
        """,
        "my_base",
    )
    module = module_factory(
        """
        from my_base import Parent as Ancestor, FACTOR
        class Child(Ancestor):
            def more(self):
                return self.value() + FACTOR
        """
    )
    found = source_of([module.Child])
    assert "my_base" not in found.text
    assert _run(found)["Child"]().more() == 6


def test_clash_of_names_is_told(module_factory: ModuleFactory) -> None:
    one = module_factory("def act(x):\n    return x\n", "my_one")
    other = module_factory("def act(x):\n    return -x\n", "my_other")
    found = source_of([one.act, other.act])
    assert found.problems == ("`act` is defined in my_one.py and in my_other.py",)


def test_closures_and_lambdas(module_factory: ModuleFactory) -> None:
    module = module_factory(
        """
        WEIGHT = 2
        def make(alpha, table):
            def focal(y):
                return y * alpha * WEIGHT
            def look_up(y):
                return table[y]
            return focal, look_up
        focal, look_up = make(0.25, {})
        square = lambda v: v * v * WEIGHT
        one, two = lambda v: v + 1, lambda v: v + 2
        """
    )
    found = source_of([module.focal, module.square, module.two])
    rebuilt = _run(found)
    assert found.names == ("focal", "lambda_10", "lambda_11")
    assert rebuilt["focal"](4) == 2.0
    assert rebuilt["lambda_10"](3) == 18
    assert rebuilt["lambda_11"](1) == 3
    assert found.problems == ()
    assert "`table`" in source_of([module.look_up]).problems[0]


def test_what_is_not_at_hand_is_told() -> None:
    namespace: dict[str, Any] = {"__name__": "nowhere"}
    exec("def loss(a, b):\n    return a", namespace)
    found = source_of([namespace["loss"]])
    assert found.text == ""
    assert "not at hand" in found.problems[0]


def test_secrets_are_redacted(module_factory: ModuleFactory) -> None:
    module = module_factory("class Report:\n    api_key = 'abc'\n    rows = 'abc'\n")
    assert source_of([module.Report]).text == (
        "class Report:\n    api_key = \"[redacted]\"\n    rows = 'abc'\n"
    )
