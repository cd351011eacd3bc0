from __future__ import annotations

import sys

import pytest

from modelkb_viewer.prediction.recorded_code import custom_objects, recorded_objects, said

DEFINITIONS = """
from dataclasses import dataclass

@dataclass
class A:
    x: int = 3

def f():
    return A().x
"""


def test_definitions_become_objects_by_name() -> None:
    module = recorded_objects(DEFINITIONS, "run-1")
    try:
        found = custom_objects(module)
        assert found["f"]() == 3
        assert found["A"](4).x == 4
        assert not any(name.startswith("__") for name in found)
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "tried this\n\nException encountered: No class 'A'. Full object config: {}",
            "No class 'A'.",
        ),
        ("plain", "plain"),
        ("", "ValueError"),
    ],
)
def test_what_matters_of_what_keras_says(text: str, expected: str) -> None:
    assert said(ValueError(text)) == expected
