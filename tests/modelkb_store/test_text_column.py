from __future__ import annotations

import pyarrow as pa
import pytest

from modelkb_store.text_column import encoded_texts, plain_texts, positions_in

COLUMN = pa.chunked_array([["b", None], ["a", "b"]], pa.string())
FORMS = {
    "plain": COLUMN,
    "encoded": pa.chunked_array([chunk.dictionary_encode() for chunk in COLUMN.chunks]),
    "large": COLUMN.cast(pa.large_string()),
}


@pytest.mark.parametrize("column", FORMS.values(), ids=FORMS)
def test_texts_in_any_form(column: pa.ChunkedArray) -> None:
    codes, texts = encoded_texts(column)

    assert [texts[code].as_py() if code >= 0 else None for code in codes] == COLUMN.to_pylist()
    assert plain_texts(column).to_pylist() == COLUMN.to_pylist()
    assert plain_texts(column).type == pa.string()
    assert positions_in(column, pa.array(["a", "b"])).tolist() == [1, -1, 0, 1]
    assert positions_in(column, pa.array(["c", None])).tolist() == [-1, -1, -1, -1]


def test_no_texts() -> None:
    none = pa.chunked_array([], pa.string())

    assert positions_in(none, pa.array(["a"])).tolist() == []
    assert len(plain_texts(none)) == 0
