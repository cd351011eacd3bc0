from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.content.layer_alignment import align_layers, base_name, layer_changes


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {
        "class_name": class_name,
        "path": name,
        "name": name,
        "inbound": [],
        "output_shape": None,
        "parameter_count": None,
        "trainable": True,
        "config": json.dumps({"name": name, **config}),
    }


LAYERS = st.lists(
    st.builds(
        lambda kind, number, units: layer(kind, f"{kind.lower()}_{number}", units=units),
        st.sampled_from(["Dense", "Conv2D", "Dropout"]),
        st.integers(0, 3),
        st.integers(1, 2),
    ),
    max_size=12,
)


def kinds(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[str]:
    return [each.kind for each in align_layers(first, second)]


@given(first=LAYERS, second=LAYERS)
def test_every_layer_is_there_once_in_its_order(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    aligned = align_layers(first, second)
    assert [each.first for each in aligned if each.first is not None] == first
    assert [each.second for each in aligned if each.second is not None] == second
    for each in aligned:
        if each.first is not None and each.second is not None:
            assert each.first["class_name"] == each.second["class_name"]


@given(LAYERS)
def test_a_model_is_the_same_as_itself(layers: list[dict[str, Any]]) -> None:
    assert kinds(layers, layers) == ["same"] * len(layers)


@given(first=LAYERS, second=LAYERS)
def test_from_the_other_side_what_was_added_is_removed(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    there, back = kinds(first, second), kinds(second, first)
    assert there.count("added") == back.count("removed")
    assert there.count("removed") == back.count("added")


def test_a_layer_in_between_moves_nothing() -> None:
    first = [layer("Dense", "dense", units=8), layer("Dense", "dense_1", units=2)]
    second = [first[0], layer("Dropout", "dropout", rate=0.5), first[1]]
    assert kinds(first, second) == ["same", "added", "same"]
    assert kinds(second, first) == ["same", "removed", "same"]


def test_a_further_layer_of_the_same_class_is_found_by_its_settings() -> None:
    first = [layer("Dense", "dense_7", units=8), layer("Dense", "dense_8", units=2)]
    second = [
        layer("Dense", "dense", units=8),
        layer("Dense", "dense_1", units=4),
        layer("Dense", "dense_2", units=2),
    ]
    assert kinds(first, second) == ["same", "added", "same"]


def test_numbers_that_keras_gives_are_no_change_but_names_are() -> None:
    one = layer("Dense", "dense_3", units=2)
    assert layer_changes(one, layer("Dense", "dense_12", units=2)) == {}
    assert layer_changes(one, layer("Dense", "head", units=2)) == {"name": ("dense", "head")}


def test_settings_within_settings_are_compared_one_by_one() -> None:
    def initialized(seed: int | None) -> dict[str, Any]:
        return {"class_name": "GlorotUniform", "config": {"seed": seed}, "module": "keras"}

    one = layer("Dense", "a", kernel_initializer=initialized(1), kernel_size=[3, 3])
    other = layer("Dense", "a", kernel_initializer=initialized(2), kernel_size=[3, 5])
    assert layer_changes(one, other) == {
        "kernel_initializer.seed": (1, 2),
        "kernel_size": ([3, 3], [3, 5]),
    }


def test_what_holds_layers_does_not_repeat_their_differences() -> None:
    one = layer("Functional", "encoder", layers=[{"name": "a"}])
    assert layer_changes(one, layer("Functional", "encoder", layers=[])) == {}


def test_a_thousand_layers_are_put_side_by_side() -> None:
    first = [layer("Dense", f"dense_{number}", units=number % 7) for number in range(1000)]
    second = [each for number, each in enumerate(first) if number % 10]
    found = kinds(first, second)
    assert (found.count("same"), found.count("removed")) == (900, 100)


def test_base_names() -> None:
    assert base_name("block_1/conv2d_12") == "block/conv2d"
    assert base_name("conv2d") == "conv2d"
