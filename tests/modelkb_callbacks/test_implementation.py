"""What the record of an implementation says of its source, and of the environment it reads."""

from __future__ import annotations

import textwrap
from pathlib import Path

import keras
import pytest

from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.hyperparameters import collect
from modelkb_callbacks.implementation import describe_implementation, environment_of
from modelkb_callbacks.slicing import FrameLocation
from modelkb_callbacks.source_code import read_source
from modelkb_callbacks.user_source import UserSource
from modelkb_store.records import ImplementationRecord

READING = """
import os
import numpy as np
x = np.arange(int(os.environ.get("ROWS", "3")))
token = os.environ["SERVICE_TOKEN"]
x = np.append(x, len(token)) * int(os.getenv("FACTOR") or 1)
unused = os.getenv("UNUSED")
model.fit(x)
"""


def _described(script: str, *, line: int, call: FitCall | None) -> ImplementationRecord:
    source = UserSource((FrameLocation(read_source(textwrap.dedent(script)), line),))
    model = keras.Sequential([keras.layers.Dense(1)])
    return describe_implementation(model, call, source, Guard(strict=True))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWS", "6")
    monkeypatch.setenv("SERVICE_TOKEN", "hunter2")
    monkeypatch.setenv("UNUSED", "1")
    monkeypatch.delenv("FACTOR", raising=False)


def test_variables_that_the_data_slice_reads() -> None:
    record = _described(READING, line=8, call=FitCall())
    assert environment_of(record.data_slice) == {"ROWS": "6"}
    assert record.source_problems == (
        "data slice: it reads the environment variable `SERVICE_TOKEN`, which may be a secret, "
        "and is not recorded",
    )


def test_values_that_are_secrets_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWS", "ghp_" + "a1" * 12)
    record = _described(READING, line=8, call=FitCall())
    assert environment_of(record.data_slice) == {}
    assert any("`ROWS`" in each for each in record.source_problems)


def test_names_that_only_a_run_knows() -> None:
    record = _described("import os\nx = dict(os.environ)\nmodel.fit(x)\n", line=3, call=FitCall())
    assert environment_of(record.data_slice) == {}
    assert len(record.source_problems) == 1
    assert "by names that are not known" in record.source_problems[0]


def test_no_slice_reads_nothing() -> None:
    assert environment_of(None) == {}
    record = _described("x = 1\n", line=1, call=FitCall())
    assert record.source_problems == ("data slice: the call of fit was not found in the source",)
    record = _described("x = 1\n", line=1, call=None)
    assert record.source_problems == (
        "data slice: a block that can stand by itself was not found in the source",
    )


def test_variables_as_hyperparameters() -> None:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    environment = {"ROWS": "6", "SIZE": "x", "loss": "other"}
    scanned = {"ROWS": (6, "variable")}
    rows = collect(
        "id", model, FitCall(), {}, {"SIZE": 2}, scanned=scanned, environment=environment
    )
    found = {row.name: (row.value, row.source) for row in rows}
    assert {row.name: row.number for row in rows}["ROWS"] == 6.0
    assert found["ROWS"] == ('"6"', "environment")
    assert found["SIZE"] == ("2", "user")
    assert found["loss"] == ('"mse"', "compile")


def test_the_script_of_a_path_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(READING)
    source = UserSource((FrameLocation(read_source(tmp_path / "train.py"), 8),))
    model = keras.Sequential([keras.layers.Dense(1)])
    record = describe_implementation(model, FitCall(), source, Guard(strict=True))
    assert record.data_slice == _described(READING, line=8, call=FitCall()).data_slice
