from __future__ import annotations

import pytest

from modelkb_viewer.exchange.importing.parameter_values import value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32", 32),
        ("-0.5", -0.5),
        ("1e-07", 1e-07),
        ("1.", 1.0),
        ("True", True),
        ("false", False),
        ("None", None),
        ('{"a": [1, null]}', {"a": [1, None]}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["adam", "", "007", "1_0", "+1", " 1", "nan", "inf", "1e999", "[1", "(1, 2)", "٣", "1.2.3"],
)
def test_what_stays_text(text: str) -> None:
    assert value_of(text) == text
