from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.given import File, Given, Way, prepare, together, ways_of
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import Prepared


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((8, 8, 1), "float32", [Way.PICTURE, Way.TABLE, Way.ARRAY]),
        ((None, None, 3), "uint8", [Way.PICTURE, Way.ARRAY]),
        ((28, 28), "float32", [Way.PICTURE, Way.TABLE, Way.ARRAY]),
        ((10,), "float32", [Way.FORM, Way.TABLE, Way.ARRAY]),
        ((64,), "float32", [Way.NUMBERS, Way.PICTURE, Way.TABLE, Way.ARRAY]),
        ((80,), "int32", [Way.NUMBERS, Way.TABLE, Way.ARRAY]),
        ((None,), "int64", [Way.NUMBERS, Way.TABLE, Way.ARRAY]),
        ((), "float32", [Way.FORM, Way.TABLE, Way.ARRAY]),
        ((), "string", [Way.TEXT, Way.TABLE, Way.ARRAY]),
        ((1,), "str12", [Way.TEXT, Way.TABLE, Way.ARRAY]),
        ((20, 6), "float32", [Way.TABLE, Way.ARRAY]),
    ],
)
def test_the_ways_to_give_an_input(
    shape: tuple[int | None, ...], dtype: str, expected: list[Way]
) -> None:
    assert ways_of(InputSpec(None, "input", shape, dtype)) == expected


def test_what_was_given_has_a_key_of_its_content() -> None:
    given = Given(Way.TABLE, (File("a.csv", b"1"),))
    assert given.content_key() == Given(Way.TABLE, (File("a.csv", b"1"),)).content_key()
    others = [
        Given(Way.TABLE, (File("a.csv", b"2"),)),
        Given(Way.TABLE, (File("b.csv", b"1"),)),
        dataclasses.replace(given, text="x"),
    ]
    assert len({given.content_key(), *(each.content_key() for each in others)}) == 4
    assert Given(Way.TEXT, text="\ud800").content_key()


def test_nothing_given_is_said_so() -> None:
    with pytest.raises(InputError, match="there is no file"):
        prepare(Given(Way.PICTURE), InputSpec(None, "photo", (8, 8, 1), "float32"))


def test_one_sample_goes_with_all_of_another_input() -> None:
    one, three = (Prepared(np.ones((count, 2)), ("",) * count) for count in (1, 3))
    assert [each.shape for each in together([one, three])] == [(3, 2), (3, 2)]
    two = Prepared(np.ones((2, 2)), ("", ""))
    with pytest.raises(InputError, match="they have 2, 3 samples"):
        together([two, three])
