"""Slices of blocks ``with experiment(model):``."""

from __future__ import annotations

import inspect
import sys
import textwrap
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import modelkb_callbacks
from modelkb_callbacks.slicing import DataSlice, frames_of_fit, slice_block, slice_data
from slicing_runs import Model

_HEAD = """
import numpy as np
from watched import Model
from modelkb_callbacks import experiment
"""


class _Block:
    """Stands for the block that is recorded, and takes its slice as it begins."""

    found: DataSlice | None = None
    entered = 0

    def __init__(self, model: Any = None, **settings: Any) -> None:
        self.model = model

    def __enter__(self) -> _Block:
        type(self).entered += 1
        if type(self).entered == 1:
            caller: FrameType | None = inspect.currentframe().f_back  # type: ignore[union-attr]
            assert caller is not None
            type(self).found = slice_block(frames_of_fit(caller))
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def log(self, **values: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def _watched_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelkb_callbacks, "experiment", _Block)
    monkeypatch.setattr(_Block, "found", None)
    monkeypatch.setattr(_Block, "entered", 0)


class _Steps(Model):
    """Keeps what it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def train_on_batch(self, x: Any) -> float:
        self.seen.append(np.array(x))
        return 0.5


def _sliced(script: str, folder: Path) -> tuple[DataSlice | None, list[Any]]:
    """Run a script, and return its slice and what its ``model`` was trained on."""
    path = folder / "train.py"
    path.write_text(_HEAD + textwrap.dedent(script))
    made = _Steps()
    namespace = {"__name__": "__main__", "build": lambda: made}
    exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), namespace)
    return _Block.found, made.seen


def _steps_of(found: DataSlice) -> list[Any]:
    assert found.model_name is not None
    made = _Steps()
    exec(found.text, {found.model_name: made, "__name__": "__main__"})
    return made.seen


def test_the_block_stands_with_what_it_needs(tmp_path: Path) -> None:
    found, seen = _sliced(
        """
        np.random.seed(3)
        ROWS, UNUSED = 6, 2
        unused = np.arange(UNUSED)
        x = np.random.rand(ROWS)
        model = build()
        model.compile("adam")
        rate = 9.0
        for epoch in range(2):
            rate = epoch
        with experiment(model, name="loop") as run:  # by hand
            for epoch in range(2):
                # Each epoch has its own rate.
                model.rate = 0.1 / 2**epoch
                order = np.random.permutation(ROWS)
                loss = model.train_on_batch(x[order])
                run.log(epoch=epoch, loss=loss)
            text = '''
        not moved'''
        print(loss)
        """,
        tmp_path,
    )
    assert found is not None
    assert found.model_name == "model"
    assert found.problems == ()
    assert found.text == textwrap.dedent(
        """\
        import numpy as np
        from modelkb_callbacks import experiment

        np.random.seed(3)
        ROWS, UNUSED = 6, 2
        x = np.random.rand(ROWS)
        experiment_model = model
        with experiment(model, name="loop") as run:  # by hand
            for epoch in range(2):
                # Each epoch has its own rate.
                model.rate = 0.1 / 2**epoch
                order = np.random.permutation(ROWS)
                loss = model.train_on_batch(x[order])
                run.log(epoch=epoch, loss=loss)
            text = '''
        not moved'''
        """
    )
    np.testing.assert_array_equal(_steps_of(found), seen)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        # A function of the user's, whose names and indentation change.
        (
            """
            x = [1]
            def train(net, x):
                import random
                with experiment(model=net):
                    for row in x:
                        net.train_on_batch(row)
                    return net.train_on_batch(9)
            model = build()
            train(model, [4, 5])
            """,
            "net",
        ),
        (
            """
            def step(row):
                return model.train_on_batch(row + ONE)
            ONE = 1
            model = build()
            with experiment(model):
                step(3), [step(each) for each in (1, 2)]
            """,
            "model",
        ),
        (
            """
            import modelkb_callbacks as kb
            net = build()
            model = net
            if model:
                with open("f", "w") as file, kb.experiment(model) as run:
                    model.train_on_batch(1)
                    file.write("x")
            """,
            "model",
        ),
        (
            """
            model = build()
            for size in (3, 4):
                x = np.arange(size)
                with experiment(model):
                    model.train_on_batch(x)
                break
            """,
            "model",
        ),
    ],
)
def test_blocks_agree(
    script: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, seen = _sliced(script, tmp_path)
    assert found is not None
    assert found.model_name == name
    assert f"experiment_model = {name}\n" in found.text
    assert "build()" not in found.text
    for one, other in zip(_steps_of(found), seen, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_of_an_object(tmp_path: Path) -> None:
    found, _ = _sliced(
        """
        class Trainer:
            def load(self):
                self.x = [1, 2]
                self.model = build()
            def run(self):
                self.x = [3]
                self.model = build()
                self.model.compile("adam")
                with experiment(self.model):
                    self.model.train_on_batch(self.x)
        Trainer().run()
        """,
        tmp_path,
    )
    assert found is not None
    assert found.model_name == "self.model"
    assert "self.x = [3]" in found.text
    begin = found.text.index("self = Trainer()")
    assert found.text[begin:] == textwrap.dedent(
        """\
        self = Trainer()
        self.x = [3]
        experiment_model = self.model
        with experiment(self.model):
            self.model.train_on_batch(self.x)
        """
    )


@pytest.mark.parametrize(
    "script",
    [
        "model = build()\nmodel.fit = print\nwith experiment(model):\n    model.fit([1])",
        "with experiment():\n    pass",
        "model = build()\ndef f():\n    for x in (1, 2):\n        with experiment(model):\n"
        "            if x:\n                return x\nf()",
        "with experiment(build()):\n    pass",
        "def block(model):\n    return Watch(model)\nmodel = build()\nwith block(model):\n    pass",
    ],
)
def test_others_have_none(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["builtins"], "Watch", _Block, raising=False)
    found, _ = _sliced(script, tmp_path)
    assert found is None
    assert _Block.entered == 1


def test_parts_of_the_model_that_the_block_needs_are_told(tmp_path: Path) -> None:
    found, _ = _sliced(
        """
        import keras
        encoder = keras.Sequential([keras.layers.Rescaling(2.0)])
        other = keras.layers.Rescaling(2.0)
        model = build() or keras.Sequential([encoder, keras.layers.Dense(1)])
        with experiment(model):
            model.train_on_batch(np.asarray(encoder(other(np.ones((1, 1))))))
        """,
        tmp_path,
    )
    assert found is not None
    assert found.problems == ("`encoder` is a part of the model, and is made again",)


def test_a_fit_in_a_block_needs_no_block(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        _HEAD
        + textwrap.dedent(
            """
            model = Model(stop_at=9)
            with experiment(model, name="a") as run:
                x = np.arange(3)
                model.fit(x)
            """
        )
    )
    seen: list[DataSlice | None] = []

    class Fitted(Model):
        def fit(self, *args: Any, **kwargs: Any) -> Any:
            frame = inspect.currentframe()
            assert frame is not None
            assert frame.f_back is not None
            seen.append(slice_data(frames_of_fit(frame.f_back)))

    text = path.read_text().replace("from watched import Model", "")
    path.write_text(text)
    exec(compile(text, str(path), "exec"), {"Model": Fitted, "__name__": "__main__"})
    assert seen[0] is not None
    assert seen[0].text == 'import numpy as np\n\nx = np.arange(3)\nfit_data = {"x": x}\n'
    assert seen[0].model_name is None
