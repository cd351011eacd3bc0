from __future__ import annotations

import numpy as np
import pytest

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.typed_input import (
    AT_BEGINNING,
    prepare_form,
    prepare_numbers,
    prepare_text,
)

WORDS = InputSpec(None, "words", (5,), "int32", 0.0, 100.0)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_text_is_one_sample(shape: tuple[int, ...]) -> None:
    spec = InputSpec(None, "review", shape, "string")
    prepared = prepare_text("schön 🎬\nzwei", spec)
    assert prepared.array.shape == (1, *shape)
    assert prepared.array.ravel().tolist() == ["schön 🎬\nzwei"]


def test_an_empty_text_and_what_is_no_text() -> None:
    spec = InputSpec(None, "review", (), "string")
    with pytest.raises(InputError, match="it is empty"):
        prepare_text(" \n", spec)
    assert prepare_text("half \ud83c a\0b", spec).array.tolist() == ["half ? a b"]
    long = prepare_text("a" * 200_000, spec)
    assert len(long.array[0]) == 100_000
    assert long.steps[0] == "cut from 200,000 to 100,000 characters"


def test_numbers_of_words_are_padded_or_cut() -> None:
    prepared = prepare_numbers("[3, 4]", WORDS)
    assert prepared.array.tolist() == [[3, 4, 0, 0, 0]]
    assert prepared.array.dtype == np.int32
    assert prepared.steps[0] == "padded with 0 from 2 to 5 numbers at the end"
    assert prepare_numbers("3 4", WORDS, AT_BEGINNING).array.tolist() == [[0, 0, 0, 3, 4]]
    assert prepare_numbers("1 2 3 4 5 6", WORDS).array.tolist() == [[1, 2, 3, 4, 5]]
    assert prepare_numbers("1 2 3 4 5 6", WORDS, AT_BEGINNING).array.tolist() == [[2, 3, 4, 5, 6]]


def test_other_numbers_must_be_as_many() -> None:
    spec = InputSpec(None, "input", (50,), "float32")
    with pytest.raises(InputError, match="2 numbers. Expected: 50"):
        prepare_numbers("1 2", spec)
    with pytest.raises(InputError, match="'x' is none"):
        prepare_numbers("1 x", WORDS)
    with pytest.raises(InputError, match="0 numbers"):
        prepare_numbers(" , ", WORDS)
    any_number = InputSpec(None, "input", (None,), "float32")
    assert prepare_numbers("1;2.5", any_number).array.tolist() == [[1, 2.5]]


def test_a_form_has_a_field_for_each_value() -> None:
    spec = InputSpec(None, "input", (2,), "float32", 0.0, 1.0)
    prepared = prepare_form([0.5, 9.0], spec)
    assert prepared.array.tolist() == [[0.5, 9.0]]
    assert "values run from 0.5 to 9" in prepared.warnings[0]
    assert prepare_form([3.0], InputSpec(None, "age", (), "float32")).array.shape == (1,)
    with pytest.raises(InputError, match="it has 3 fields"):
        prepare_form([1.0, 2.0, 3.0], spec)
