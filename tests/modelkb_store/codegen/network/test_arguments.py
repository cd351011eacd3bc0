from __future__ import annotations

from typing import Any

import pytest

from modelkb_store.codegen.network.arguments import is_layer, layers_in_order


def dense(name: str) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": name, "trainable": True, "units": 1},
        "registered_name": None,
    }


def stack(name: str, *layers: str) -> dict[str, Any]:
    config = {"name": name, "trainable": True, "layers": [dense(each) for each in layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def order(**given: Any) -> list[str]:
    return [path for path, _ in layers_in_order(given)]


def test_numbers_of_made_up_names_are_the_order() -> None:
    assert order(a=stack("late", "dense_2", "dense_10"), b=stack("early", "dense", "dense_1")) == [
        "b",
        "a",
    ]
    assert order(a=stack("sequential_1", "x"), b=stack("sequential", "y")) == ["b", "a"]


@pytest.mark.parametrize(
    "given",
    [
        {"a": dense("one"), "b": dense("two")},
        {"a": stack("x", "dense", "dense_2"), "b": stack("y", "dense_1", "dense_3")},
        {"a": stack("sequential_1", "dense"), "b": stack("sequential", "dense_1")},
    ],
    ids=["no numbers", "numbers that overlap", "numbers that contradict"],
)
def test_where_names_do_not_tell_it_is_that_of_the_arguments(given: dict[str, Any]) -> None:
    assert order(**given) == ["a", "b"]


def test_lists_and_dictionaries_are_looked_into_and_other_values_passed_over() -> None:
    given = {
        "heads": [dense("one"), {"last": dense("two")}],
        "again": {"class_name": "__same__", "config": "heads.0"},
        "loss": {"class_name": "Huber", "config": {"delta": 2.0}},
        "rates": [0.1, 0.2],
    }

    assert order(**given) == ["heads.0", "heads.1.last"]
    assert not is_layer(given["loss"])
