from __future__ import annotations

import pyarrow as pa
import pytest

from modelkb_store.history_names import history_name, history_name_codes, metrics_that_may_be


@pytest.mark.parametrize(
    ("split", "name"), [("train", "loss"), ("validation", "val_loss"), ("test", "test_loss")]
)
def test_names_are_those_of_the_history(split: str, name: str) -> None:
    assert history_name(split, "loss") == name
    assert "loss" in metrics_that_may_be(name)


def test_names_of_many_rows() -> None:
    splits = pa.chunked_array([["train", "validation"], ["train"]])
    metrics = pa.chunked_array([["loss", "loss"], ["val_loss"]])

    codes, names = history_name_codes(splits, metrics)

    assert [names[code] for code in codes] == ["loss", "val_loss", "val_loss"]
    assert names == ["loss", "val_loss"]


def test_names_of_no_rows() -> None:
    none = pa.chunked_array([], pa.string())

    codes, names = history_name_codes(none, none)

    assert (len(codes), names) == (0, [])
