from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from modelkb_viewer.light_start import start_without_pandas

start_without_pandas()
assert not any("modelkb_viewer" in type(finder).__module__ for finder in sys.meta_path)
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

assert "pandas" not in sys.modules
table = pa.table({"a": pa.array(np.arange(2)), "b": ["x", None]})
assert "pandas" not in sys.modules, "table"
assert table.to_pylist() == [{"a": 0, "b": "x"}, {"a": 1, "b": None}]
assert pc.equal(table["a"], 1).to_pylist() == [False, True]
assert "pandas" not in sys.modules
frame = table.to_pandas()  # it comes when it is asked for
assert list(frame["a"]) == [0, 1]
assert pa.Table.from_pandas(frame).num_rows == 2
"""


@pytest.mark.slow
def test_pandas_comes_only_when_it_is_asked_for() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
