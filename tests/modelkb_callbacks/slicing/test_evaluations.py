"""The data of ``evaluate`` calls that come after ``fit`` in its scope."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

import keras
import pytest

from modelkb_callbacks.slicing import DataSlice
from slicing_runs import Model, assert_same, run_slice, run_to_fit

_BEGIN = """
    import numpy as np
    model = globals()["model"]
    x, x_test = np.arange(4), np.arange(6.0)
    """


class _Evaluated(Model):
    """Goes on after ``fit``, and keeps what ``evaluate`` is given."""

    def __init__(self) -> None:
        super().__init__(stop_at=99)
        self.given: list[dict[str, Any]] = []

    def evaluate(self, *args: Any, **kwargs: Any) -> list[float]:
        bound = inspect.signature(keras.Model.evaluate).bind(self, *args, **kwargs)
        given = {name: value for name, value in bound.arguments.items() if name != "self"}
        given.pop("callbacks", None)
        self.given.append(given)
        return [0.5, 0.25]


def _sliced(script: str, folder: Path) -> DataSlice:
    script = textwrap.dedent(_BEGIN) + textwrap.dedent(script)
    found = run_to_fit(script, folder).slice
    assert found is not None
    return found


def _agrees(script: str, folder: Path) -> DataSlice:
    """Assert that a slice, run by itself, gives what the whole script gives to ``evaluate``."""
    script = textwrap.dedent(_BEGIN) + textwrap.dedent(script)
    seen = run_to_fit(script, folder)
    assert seen.slice is not None
    assert_same(run_slice(seen.slice, folder), seen.data)
    model = _Evaluated()
    exec(script, {"__name__": "__main__", "model": model})
    namespace: dict[str, Any] = {}
    exec(seen.slice.text, namespace)
    names = [name for name in namespace if name.startswith("evaluate_data")]
    assert [sorted(namespace[name]) for name in names] == [sorted(each) for each in model.given]
    for name, given in zip(names, model.given, strict=True):
        for key, value in given.items():
            assert_same(namespace[name][key], value)
    return seen.slice


def _end(found: DataSlice) -> str:
    return found.text[found.text.index("fit_data") :]


def test_what_is_made_after_fit_follows_it(tmp_path: Path) -> None:
    found = _agrees(
        """
        SIZE = 8
        history = model.fit(x, epochs=2, callbacks=[print])
        print(history)
        model.save("model.keras")
        y_test = x_test[::-1] ** 2
        loss, accuracy = model.evaluate(
            x_test, y_test, SIZE, verbose=0, callbacks=[print], return_dict=False
        )
        print(f"{accuracy}")
        """,
        tmp_path,
    )
    assert found.text == textwrap.dedent(
        """\
        import numpy as np

        x, x_test = np.arange(4), np.arange(6.0)
        SIZE = 8
        fit_data = {"x": x}
        y_test = x_test[::-1] ** 2
        evaluate_data = {
            "x": x_test,
            "y": y_test,
            "batch_size": SIZE,
            "verbose": 0,
            "return_dict": False,
        }
        """
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    "script",
    [
        "model.fit(x)\nprint(model.evaluate(x_test)[0])\nmodel.evaluate(x)",
        "model.fit(x)\nif model.evaluate(x_test)[1] > 2:\n    print(1)\nelse:\n    print(2)",
        "model.fit(x)\nif len(x) > 3:\n    z = x_test + 1\n    model.evaluate(z)",
        "def main():\n    t = x_test + 1\n    model.fit(x)\n    return model.evaluate(t)\nmain()",
        "try:\n    model.fit(x)\nexcept KeyboardInterrupt:\n    pass\nmodel.evaluate(x_test)",
        "if len(x):\n    model.fit(x)\n    model.evaluate(x)\nmodel.evaluate(x_test)",
        "model.fit(x)\ntest = (x_test, x_test)\nmodel.evaluate(*test, **{'verbose': 0})",
        "model.fit(x)\nevaluate_data = x_test\nmodel.evaluate(evaluate_data, None)",
        "model.fit(x)\nwith open('f', 'w') as file:\n    model.evaluate(x_test)",
        "np.random.seed(1)\nmodel.fit(x)\nz = np.random.rand(3)\nmodel.evaluate(z)",
        "class T:\n    def load(self):\n        self.model = globals()['model']\n"
        "    def run(self):\n        self.load()\n        self.test = x_test * 2\n"
        "        self.model.fit(x)\n        self.model.evaluate(self.test, steps=None)\nT().run()",
        "for fold in [0, 1]:\n    model.fit(x + fold)\n    model.evaluate(x_test)\n    break",
    ],
)
def test_evaluations_agree(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _agrees(script, tmp_path).problems == ()


def test_blocks_that_only_evaluate_are_not_kept(tmp_path: Path) -> None:
    found = _sliced(
        """
        from contextlib import suppress
        with suppress(KeyError):
            model.fit(x)
            with suppress(ValueError):
                model.evaluate(x_test)
        """,
        tmp_path,
    )
    assert _end(found) == 'fit_data = {"x": x}\nevaluate_data = {"x": x_test}\n'


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        ("h = model.fit(x)\nmodel.evaluate(x_test, h)", "on the trained model"),
        ("model.fit(x)\np = model.predict(x_test)\nmodel.evaluate(p)", "on the trained model"),
        ("model.fit(x)\n[model.evaluate(t) for t in [x_test]]", "in a comprehension"),
        ("model.fit(x)\nmodel = model.copy()\nmodel.evaluate(x)", "gives `model` another value"),
        ("for k in (1, 2):\n    model.fit(x)\nmodel.evaluate(x_test)", "it comes after the loop"),
    ],
)
def test_what_cannot_be_followed_is_told(after: str, problem: str, tmp_path: Path) -> None:
    found = _sliced(after, tmp_path)
    told = [each for each in found.problems if each.startswith("evaluate: ")]
    assert len(told) == 1
    assert problem in told[0]
    assert "evaluate_data" not in found.text
    assert '"x": x' in found.text


def test_others_are_followed_all_the_same(tmp_path: Path) -> None:
    found = _sliced(
        """
        model.fit(x)
        scores = model.predict(x_test)
        model.evaluate(x_test)
        model.evaluate(x, scores)
        model.evaluate(x)
        """,
        tmp_path,
    )
    assert _end(found) == textwrap.dedent(
        """\
        fit_data = {"x": x}
        evaluate_data = {"x": x_test}
        evaluate_data_2 = {"x": x}
        """
    )
    assert found.problems == (
        "evaluate: the data at train.py:9 are left out: they depend on the trained model",
    )


@pytest.mark.parametrize(
    "after", ["model.fit(x_test)\nmodel.evaluate(x)", "other.evaluate(x)", "evaluate(model, x)"]
)
def test_what_is_not_of_this_training_is_left_alone(after: str, tmp_path: Path) -> None:
    found = _sliced(f"model.fit(x)\n{after}", tmp_path)
    assert "evaluate_data" not in found.text
    assert found.problems == ()


def test_changes_of_the_trained_model_are_told(tmp_path: Path) -> None:
    found = _sliced("model.fit(x)\nmodel.load_weights('best')\nmodel.evaluate(x_test)", tmp_path)
    assert _end(found) == 'fit_data = {"x": x}\nevaluate_data = {"x": x_test}\n'
    assert found.problems == (
        "evaluate: train.py:6 changes the model after fit(), and is not kept",
    )


def test_the_part_of_fit_is_never_made_worse(tmp_path: Path) -> None:
    found = _sliced(
        """
        def train(rows):
            extra = np.sum(rows)
            model.fit(x)
            model.evaluate(x_test[:extra])
        list(map(train, [np.arange(3)]))
        """,
        tmp_path,
    )
    assert "extra" not in found.text
    assert found.problems == (
        "evaluate: the data at train.py:9 are left out: "
        "`rows` of train() comes from a call that is not known",
    )


def test_data_of_keras(tmp_path: Path) -> None:
    found = _agrees(
        """
        import keras
        keras.utils.set_random_seed(1)
        double = keras.layers.Rescaling(2.0)
        model.fit(x)
        test = np.asarray(double(x_test))
        model.evaluate(test)
        """,
        tmp_path,
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    "script",
    [
        """
        class Trainer:
            def __init__(self, model):
                self.model, self.factor = model, 2
            def run(self):
                self.model.fit(x)
                self.model.evaluate(self.factor * x_test)
        Trainer(build()).run()
        """,
        """
        net = build()
        trained = model if len(x) > 9 else net
        model.fit(x)
        model.evaluate(net(x_test))
        """,
        """
        double = keras.layers.Rescaling(2.0)
        whole = keras.Sequential([keras.Input((1,)), double, keras.layers.Dense(1)])
        model.fit(x)
        model.evaluate(double(x_test))
        """,
    ],
)
def test_no_model_is_built_again(script: str, tmp_path: Path) -> None:
    head = """
        import keras
        def build():
            keras.Sequential([keras.layers.Dense(1)])
            return model
        """
    found = _sliced(textwrap.dedent(head) + textwrap.dedent(script), tmp_path)
    assert "evaluate_data" not in found.text
    assert "build()" not in found.text
    assert "keras" not in found.text
    assert len(found.problems) == 1
    assert "left out: they " in found.problems[0]


def test_evaluations_of_the_examples_agree(tmp_path: Path) -> None:
    folder = Path(__file__).parents[3] / "examples"
    text = (folder / "digits_classifier.py").read_text()
    text = text.replace('callbacks=[ModelKB(project="examples")],', "")
    begin = text.index("model = keras.Sequential(")
    model, rest = text[begin:].split("model.fit(")
    seen = run_to_fit(f"{text[:begin]}\nmodel.fit({rest}", tmp_path)
    assert seen.slice is not None
    assert "Dense" in model
    assert "Dense" not in seen.slice.text
    watching = _Evaluated()
    exec(f"{text[:begin]}\nmodel.fit({rest}", {"__name__": "__main__", "model": watching})
    namespace: dict[str, Any] = {}
    exec(seen.slice.text, namespace)
    assert_same(namespace["fit_data"], seen.data)
    assert_same(namespace["evaluate_data"], watching.given[0])
    assert len(namespace["evaluate_data"]["x"]) == 360
