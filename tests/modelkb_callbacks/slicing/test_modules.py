"""Slices over several modules, notebooks, command lines, and what can't be followed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelkb_callbacks.slicing import FrameLocation, slice_data
from modelkb_callbacks.source_code import read_source
from slicing_runs import assert_same, run_slice, run_to_fit


def _write(folder: Path, **sources: str) -> None:
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


def test_modules_of_the_user_are_put_in(tmp_path: Path) -> None:
    _write(
        tmp_path,
        my_settings="ROWS = 4\nSEED = 3\nUNUSED = 5\n",
        my_data="""
        import numpy as np
        from my_settings import ROWS
        import my_settings
        def load(n=ROWS):
            return np.arange(n) + my_settings.SEED
        x = "another x"
        def name():
            return x
        if __name__ == "__main__":
            load()
        """,
        my_training="""
        def train(net, x, y):
            net.compile()
            net.fit(x, y)
        """,
    )
    seen = run_to_fit(
        """
        import my_data as data
        from my_data import name
        from my_training import train
        x = data.load()
        train(model, x, [name()])
        """,
        tmp_path,
    )
    assert seen.slice is not None
    assert seen.slice.text == textwrap.dedent(
        """\
        ROWS = 4
        SEED = 3
        import numpy as np


        def load(n=ROWS):
            return np.arange(n) + SEED


        my_data_x = "another x"


        def name():
            return my_data_x


        x = load()
        y = [name()]
        fit_data = {"x": x, "y": y}
        """
    )
    (tmp_path / "my_data.py").unlink()
    assert_same(run_slice(seen.slice, tmp_path), seen.data)


def test_command_line_and_environment(tmp_path: Path) -> None:
    seen = run_to_fit(
        """
        import argparse, os
        import numpy as np
        parser = argparse.ArgumentParser()
        parser.add_argument("--rows", type=int)
        parser.add_argument("--token", default="abc")
        args = parser.parse_args()
        x = np.arange(args.rows + int(os.environ.get("MORE_ROWS", "0")))
        model.fit(x)
        """,
        tmp_path,
        argv=["--rows", "3"],
    )
    assert seen.slice is not None
    assert seen.slice.reads_command_line
    assert seen.slice.reads_environment
    assert 'parser.add_argument("--token", default="[redacted]")' in seen.slice.text
    assert "import argparse, os\n" in seen.slice.text
    assert_same(run_slice(seen.slice, tmp_path, ["--rows", "3"]), seen.data)


def test_absl(tmp_path: Path) -> None:
    flags = pytest.importorskip("absl.flags")
    script = """
        from absl import app, flags
        import numpy as np
        FLAGS = flags.FLAGS
        flags.DEFINE_integer("rows_of_data", 4, "Rows.")
        def main(argv):
            model.fit(np.arange(FLAGS.rows_of_data))
        app.run(main)
        """
    seen = run_to_fit(script, tmp_path, argv=["--rows_of_data=5"])
    assert seen.slice is not None
    assert seen.slice.reads_command_line
    flags.FLAGS.__delattr__("rows_of_data")  # all of absl's flags are one process's
    assert_same(run_slice(seen.slice, tmp_path, ["--rows_of_data=5"]), seen.data)
    flags.FLAGS.__delattr__("rows_of_data")


def test_values_stand_in_for_calls_that_are_not_seen(tmp_path: Path) -> None:
    seen = run_to_fit(
        """
        import numpy as np
        def train(size, password):
            model.fit(np.arange(size), [password])
        for parts in map(lambda each: list(map(each, [3], ["abc"])), [train]):
            pass
        """,
        tmp_path,
    )
    assert seen.slice is not None
    assert "size = 3" in seen.slice.text
    assert 'password = "[redacted]"' in seen.slice.text


def test_what_is_not_known_is_told(tmp_path: Path) -> None:
    seen = run_to_fit(
        """
        import numpy as np
        def train(x):
            model.fit(x)
        list(map(train, [np.arange(3)]))
        """,
        tmp_path,
    )
    assert seen.slice is not None
    assert seen.slice.problems == ("`x` of train() comes from a call that is not known",)


def test_draws_of_building_a_model_are_told() -> None:
    source = read_source(
        textwrap.dedent(
            """
            import random
            import keras
            keras.utils.set_random_seed(1)
            model = keras.Sequential([keras.layers.Dense(1)])
            rows = [random.random() for _ in range(4)]
            model.fit(rows)
            """
        )
    )
    found = slice_data([FrameLocation(source, 7)])
    assert found is not None
    assert "Sequential" not in found.text
    assert "keras.utils.set_random_seed(1)" in found.text
    assert "draws from the seeded generator of python" in found.problems[0]


def test_notebook_cells_in_the_order_of_running(tmp_path: Path) -> None:
    cells = ["import numpy as np\nn = 3", "x = np.arange(n)", "n = 5", "x = np.arange(n)\nprint(x)"]
    text = "\n".join([*cells, "model.fit(x)", ""])
    found = slice_data([FrameLocation(read_source(text), 7)])
    assert found is not None
    assert found.text == ('import numpy as np\n\nn = 5\nx = np.arange(n)\nfit_data = {"x": x}\n')


def test_generators_of_the_old_spelling() -> None:
    source = read_source(
        "train, val = batches()\nmodel.fit_generator(generator=train, validation_data=val)\n"
    )
    found = slice_data([FrameLocation(source, 2)])
    assert found is not None
    assert dict(found.arguments) == {"x": "train", "validation_data": "val"}


def test_line_of_another_function_gives_no_slice() -> None:
    source = read_source("def main():\n    x = 1\n    model.fit(x)\nmain()\n")
    assert slice_data([FrameLocation(source, 3)]) is None


@pytest.mark.parametrize("line", [1, 2, 3, 99])
def test_no_call_no_slice(line: int) -> None:
    source = read_source("x = 1\n\ny = 2\n")
    assert slice_data([FrameLocation(source, line)]) is None
    assert slice_data([]) is None


def test_importing_leaves_keras_alone() -> None:
    code = "import sys, modelkb_callbacks.slicing; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
