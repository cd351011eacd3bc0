from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from modelkb_callbacks.running_source import source_of_frame

MODULE = """
import sys

def frame():
    return sys._getframe()

FACTOR = 2
"""

NOTEBOOK = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
"""

SLICE = """
from modelkb_callbacks.slicing import frames_of_fit, slice_data
class Model:
    def fit(self, x, y=None):
        import sys
        found = slice_data(frames_of_fit(sys._getframe(1)))
        names = {}
        exec(found.text, names)
        print("SAME", names["fit_data"]["x"] == x and names["fit_data"].get("y") == y)
m = Model()
"""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """A module that is loaded, and can be edited afterwards."""
    path = tmp_path / "settings_of_a_run.py"
    path.write_text(MODULE)
    return load(path)


def edit(module: ModuleType, text: str) -> None:
    path = Path(str(module.__file__))
    path.write_text(text)
    later = time.time() + 5
    os.utime(path, (later, later))


def test_the_source_of_a_frame() -> None:
    found = source_of_frame(sys._getframe())

    assert found is not None
    source, line = found
    assert source.path == Path(__file__)
    assert "source_of_frame(sys._getframe())" in source.text.split("\n")[line - 1]


def test_a_frame_without_a_source() -> None:
    frames: list[Any] = []
    exec("frames.append(sys._getframe())", {"frames": frames, "sys": sys})

    assert source_of_frame(frames[0]) is None


def test_an_edited_function_is_not_what_runs(module: ModuleType) -> None:
    edit(module, MODULE.replace("return sys._getframe()", "return sys._getframe(0)"))

    assert source_of_frame(module.frame()) is None


def test_an_edit_elsewhere_counts_for_what_it_changes(module: ModuleType) -> None:
    edit(module, MODULE.replace("FACTOR = 2", "FACTOR = 3"))

    assert source_of_frame(module.frame()) is not None, "the function itself is as it was"


def test_what_was_read_before_an_edit_is_remembered(module: ModuleType) -> None:
    before = source_of_frame(module.frame())
    edit(module, "# an edit\n" + MODULE)
    after = source_of_frame(module.frame())

    assert before is not None
    assert after is not None
    assert after[0].text == before[0].text


def in_a_notebook(*cells: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, json.dumps(cells)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "IPYTHONDIR": os.devnull + "-none", "HOME": os.devnull},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "cells",
    [
        ("x = [1, 2]\ny = [3, 4]", "%%time\ny = y[::-1]", "m.fit(x, y)"),
        ("x = [1, 2]", "%time x = x + [3]", "x = x + [4]", "m.fit(x)"),
        ("x = [1]", "x = x + [2]", "x = x + [2]", "%%time\n\nm.fit(x)"),
        ("x = [1]\n!echo nothing", "x.append(5)\n%time m.fit(x)"),
        ("%%capture out\nx = [7]", "def train():\n    m.fit(x)", "train()"),
    ],
    ids=["cell magic", "line magic", "timed fit", "fit behind time", "function"],
)
def test_the_cells_of_a_live_notebook(cells: tuple[str, ...]) -> None:
    assert "SAME True" in in_a_notebook(textwrap.dedent(SLICE), *cells)
