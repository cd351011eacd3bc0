from __future__ import annotations

from typing import Any

import pytest

from modelkb_callbacks.plain_values import plain
from modelkb_store.codegen.script.cut_values import is_cut, is_description


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        (list(range(9)), True),
        ({str(n): n for n in range(9)}, True),
        ([[1, 2], [3]], False),
        ("x" * 20_000, True),
        ("...", True),
        ("[redacted]", True),
        ("text...", False),
        (3.5, False),
        (None, False),
        ({"a": [1, "b"]}, False),
    ],
)
def test_values_that_were_cut_are_known(value: Any, cut: bool) -> None:
    assert is_cut(plain(value, most_items=6)) is cut


def test_descriptions_of_arrays_are_known() -> None:
    assert is_description({"shape": [3], "dtype": "float32"})
    assert not is_description({"shape": [3]})
    assert not is_description("shape")
