"""The scanner as a whole: its JSON, its bounds, and what it leaves alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelkb_callbacks
from modelkb_callbacks.scanning import Scan, scan
from modelkb_store.errors import SourceNotFoundError
from scanned import scanned

# The job for Spark trains nothing.
_EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[3] / "examples").glob("*.py")
    if path.stem != "spark_store"
)
_SCRIPT = """
import argparse
import keras
from keras import layers as L

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()
config = {"units": 8, "rate": [0.1, 0.2]}

class Net(keras.Model):
    def __init__(self, units=4):
        super().__init__()
        self.first = L.Dense(units)

def build(n, *names, rate=0.1, **more):
    model = keras.Sequential([L.Dense(n), L.Dropout(rate), *[L.Dense(2) for _ in names]])
    for i in range(n):
        model.add(L.Dense(i + 1))
    return model

model = build(config["units"], "a", rate=config["rate"][0])
model.compile(keras.optimizers.Adam(1e-3 if args.epochs > 1 else 0.1), "mse", metrics=["mae"])
(x, y), test = keras.datasets.boston_housing.load_data()
try:
    model.fit(x / 2, y[:10], epochs=args.epochs, validation_data=test, callbacks=[])
except ValueError as error:
    print(f"{error!r:>10}")
"""


def test_the_json_of_a_script() -> None:
    source = """\
        import keras
        from keras.layers import Dense
        UNITS = 4
        (x, y), test = keras.datasets.mnist.load_data()
        model = keras.Sequential([Dense(UNITS, activation="softmax")], name="net")
        model.compile(keras.optimizers.Adam(1e-3), ["mse"], metrics=["acc"])
        model.fit(x, y, 32, epochs=many(), validation_data=test)
    """

    found = scanned(source).to_dict()

    assert json.loads(json.dumps(found)) == found
    assert found == {
        "datasets": [
            {
                "loader": "keras.datasets.mnist.load_data",
                "name": "mnist",
                "source": None,
                "line": 4,
            }
        ],
        "models": [{"kind": "sequential", "name": "net", "layers": ["Dense"], "line": 5}],
        "compile": [
            {
                "optimizer": "Adam",
                "learning_rate": 0.001,
                "loss": ["mse"],
                "metrics": ["acc"],
                "line": 6,
            }
        ],
        "fit": [
            {
                "epochs": None,
                "batch_size": 32,
                "validation_split": None,
                "callbacks": [],
                "line": 7,
            }
        ],
        "hyperparameters": {"UNITS": 4},
        "imports": ["keras", "keras.layers"],
        "unresolved": [
            {
                "expression": "many()",
                "line": 7,
                "reason": "the result of a call that is not followed",
            }
        ],
        "warnings": [
            {
                "code": "test-as-validation",
                "message": "validation_data is the test split of mnist (line 4): what is chosen "
                "by it is no longer tested by it",
                "line": 7,
            }
        ],
    }


def test_it_is_public() -> None:
    assert modelkb_callbacks.scan is scan


def test_a_path_and_a_text_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import keras\nkeras.Sequential()\n")

    assert [model.kind for model in scan(path).models] == ["sequential"]
    assert scan(str(path)) == scan(path)
    assert [model.kind for model in scan("import keras\nkeras.Sequential()").models] == [
        "sequential"
    ]
    with pytest.raises(SourceNotFoundError):
        scan(tmp_path / "nothing.py")


@pytest.mark.parametrize("path", _EXAMPLES, ids=lambda path: path.name)
def test_our_own_examples_say_what_they_train(path: Path) -> None:
    found = scan(path)

    loops = [entry for entry in found.unresolved if "loop of its own" in entry.reason]
    assert found.models
    assert found.fit or loops


def test_what_does_not_parse_is_named() -> None:
    found = scan("import keras\ndef broken(:\n    pass\nkeras.Sequential()\n")

    assert [model.kind for model in found.models] == ["sequential"]
    assert [(entry.line, entry.reason.split(":")[0]) for entry in found.unresolved] == [
        (2, "does not parse")
    ]


def test_nothing_is_run_and_no_training_package_imported() -> None:
    program = (
        "import sys\n"
        "from modelkb_callbacks.scanning import scan\n"
        "scan('import keras\\nraise SystemExit(keras.missing.attribute)\\n')\n"
        "from modelkb_callbacks import scan\n"
        "unwanted = {'keras', 'tensorflow', 'numpy', 'pandas', 'pyarrow', 'h5py', 'click'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )

    assert ended.stdout == "[]\n"


BOMBS = {
    "calls that double": "\n".join(
        [
            "import keras",
            "def f0(x):\n    return keras.layers.Dense(1)(x)",
            *(f"def f{i}(x):\n    return f{i - 1}(f{i - 1}(x))" for i in range(1, 60)),
            "f59(keras.Input((1,)))",
        ]
    ),
    "loops in loops": "".join(
        f"{'    ' * depth}for v{depth} in range(9):\n{'    ' * depth}    n = 1\n"
        for depth in range(15)
    ),
    "recursion": "def f(n):\n"
    "    return g(n + 1) + g(n)\n"
    "def g(n):\n"
    "    return f(n) * f(n - 1)\n"
    "f(1)",
    "a list in itself": "a = [1]\na.append(a)\nb = a + a * 50\nb.extend(b)\nprint(len(b))",
    "a dictionary in itself": "d = {}\nd['d'] = d\nkeras.Sequential().fit(**d)\nx = {**d, **d}",
    "a model in itself": (
        "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.add(m)\n"
        "m.compile('adam', 'mse')\nm.fit(x)\nprint(m.output)"
    ),
    "a class of itself": "class A:\n    pass\nclass A(A):\n    pass\nA().missing",
    "long sums": "x = " + " + ".join(["1"] * 3000),
    "deep brackets": "x = " + "[" * 90 + "]" * 90,
    "long chains": "x = a" + ".b()" * 900,
    "large numbers": "x = 10 ** 10 ** 10\ny = 'a' * 10 ** 12\nz = 1 << 10 ** 9\n'%999999999d' % 1",
    "many branches": "\n".join(f"if a{i}:\n    n = {i}" for i in range(300)) + "\nprint(n)",
    "growing lists": "a = [1]\n" + "a = a + a\na = [*a, *a]\na += a\na.extend(a)\n" * 60,
    "growing dictionaries": "d = {}\n"
    + "d = {1: d, 2: d}\n" * 60
    + "keras.Sequential().fit(epochs=d)",
}


@pytest.mark.parametrize("source", BOMBS.values(), ids=BOMBS)
def test_work_is_bounded(source: str) -> None:
    start = time.process_time()

    assert isinstance(scan(source + "\n"), Scan)
    assert time.process_time() - start < 20  # a thousand times what it takes; it would not end


def test_deep_in_a_stack_of_the_caller() -> None:
    def deeper(levels: int) -> Scan:
        return deeper(levels - 1) if levels else scan(_SCRIPT)

    # Wherever the end of the stack falls, the scan ends in order.
    room = sys.getrecursionlimit()
    for levels in range(100, room - 150, 97):
        found = deeper(levels)
        assert found.models or found.unresolved


_LINES = _SCRIPT.strip().split("\n")


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_text_is_scanned(text: str) -> None:
    assert isinstance(scan(text + "\n"), Scan)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_LINES), max_size=40), st.randoms(use_true_random=False))
def test_shuffled_lines_are_scanned(lines: list[str], random: object) -> None:
    found = scan("\n".join(lines) + "\n")

    json.dumps(found.to_dict(), allow_nan=False)


class _Swap(ast.NodeTransformer):
    """Puts other expressions of the script where some are."""

    def __init__(self, expressions: list[ast.expr], choices: list[int]) -> None:
        self.expressions = expressions
        self.choices = choices

    def generic_visit(self, node: ast.AST) -> ast.AST:
        node = super().generic_visit(node)
        is_value = isinstance(node, ast.expr) and isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        )
        if is_value and self.choices and self.choices.pop() % 7 == 0:
            return self.expressions[len(self.choices) % len(self.expressions)]
        return node


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=10, max_size=200))
def test_mutated_programs_are_scanned(choices: list[int]) -> None:
    tree = ast.parse(_SCRIPT)
    expressions = [
        node
        for node in ast.walk(ast.parse(_SCRIPT))
        if isinstance(node, ast.expr)
        and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        and not isinstance(node, (ast.Starred, ast.FormattedValue))
    ]
    mutated = ast.fix_missing_locations(_Swap(expressions, choices).visit(tree))
    try:
        source = ast.unparse(mutated)
    except (ValueError, AttributeError, RecursionError):
        return  # no program

    json.dumps(scan(source + "\n").to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "literal",
    [
        "{" + ", ".join(f"'k{i}': [{i}, 'a']" for i in range(40_000)) + "}",
        "[" + ", ".join(str(i) for i in range(100_000)) + "]",
        "[" + ", ".join(f"[{'1, ' * 300}]" for _ in range(1000)) + "]",
    ],
    ids=["dictionary", "list", "table"],
)
def test_data_in_the_source_is_not_followed(literal: str) -> None:
    found = scan(f"EPOCHS = 3\ndata = {literal}\nmodel.fit(data, epochs=EPOCHS)\n")

    assert found.hyperparameters == {"EPOCHS": 3}
    assert found.fit[0].epochs == 3
