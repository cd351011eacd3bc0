from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelkb_store.json_column import JsonColumn, JsonKind, canonical_item

TEXTS = [
    "1",
    "0.5",
    '"a"',
    "true",
    "[1, 2.0]",
    "null",
    None,
    "{oops",
    '"\\u00e4\\n"',
    "-0",
    "1e400",
]


@pytest.fixture(params=[False, True], ids=["plain", "encoded"])
def column(request: pytest.FixtureRequest) -> JsonColumn:
    texts = pa.chunked_array([TEXTS[:5], TEXTS[5:]], pa.string())
    return JsonColumn(texts.dictionary_encode() if request.param else texts)


def test_each_text_has_a_kind(column: JsonColumn) -> None:
    assert [JsonKind(kind).name for kind in column.kinds] == [
        "WHOLE", "NUMBER", "TEXT", "TRUTH", "OTHER", "MISSING", "MISSING", "OTHER", "TEXT",
        "WHOLE", "NUMBER",
    ]  # fmt: skip


def test_values_by_kind_are_null_for_all_else(column: JsonColumn) -> None:
    rows = np.array([0, 1, 2, 3, 4, 5, -1, 8])

    assert column.wholes(rows).to_pylist() == [1, *[None] * 7]
    assert column.numbers(rows).to_pylist() == [1.0, 0.5, *[None] * 6]
    assert column.strings(rows).to_pylist() == [None, None, "a", *[None] * 4, "ä\n"]
    assert column.truths(rows).to_pylist() == [None, None, None, True, *[None] * 4]
    assert column.lists(rows).to_pylist() == [*[None] * 4, ["1", "2"], *[None] * 3]
    assert column.present(rows).to_pylist() == [True] * 5 + [False, False, True]


def test_rows_of_several_types_are_json(column: JsonColumn) -> None:
    rows = np.array([0, 1, 2, 4, 5, 7, -1])

    assert column.array(rows).to_pylist() == [
        "1", "0.5", "a", "[1, 2.0]", None, "{oops", None,
    ]  # fmt: skip


def test_a_column_of_nothing() -> None:
    none = JsonColumn(pa.chunked_array([], pa.string()))
    rows = np.array([-1, -1])

    assert none.array(rows).to_pylist() == [None, None]
    assert none.strings(rows).to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), ("a", '"a"'), (True, "true"), ([1.0, [2.0]], "[1,[2]]"), (0.5, "0.5")],
)
def test_equal_items_have_one_text(value: Any, text: str) -> None:
    assert canonical_item(value) == text
    assert json.loads(text) == value
