from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.random_states import random_states
from modelkb_store.codegen.formatting import format_python
from modelkb_store.codegen.script.imports import Imports
from modelkb_store.codegen.script.random_states import (
    restoring_function,
    states_file,
    unknown_generators,
)
from modelkb_store.codegen.script.source_edits import names_in


def recorded_states(model: Any) -> dict[str, Any]:
    found = random_states(model, current_framework())
    return {each.generator: json.loads(each.state) for each in found}


def restoring(states: dict[str, Any]) -> Callable[[str, Any], None]:
    """Return the function that a script has."""
    imports = Imports(())
    source = restoring_function("restore", states, imports)
    module: dict[str, Any] = {}
    exec(f"{imports.text({'restore'})}\n{source}", module)
    function: Callable[[str, Any], None] = module["restore"]
    return function


def draws() -> list[Any]:
    return [
        random.random(),
        np.random.rand(3).tolist(),
        tf.random.uniform([3]).numpy().tolist(),
        tf.random.shuffle(tf.range(20)).numpy().tolist(),
        keras.random.normal([3]).numpy().tolist(),
        tf.random.get_global_generator().normal([2]).numpy().tolist(),
    ]


@pytest.mark.parametrize("drawn", [0, 3])
def test_generators_go_on_as_they_did(tmp_path: Path, drawn: int) -> None:
    keras.utils.set_random_seed(5)
    tf.random.set_global_generator(tf.random.Generator.from_seed(9))
    keras.random.normal([1])
    for _ in range(drawn):
        draws()
    states = recorded_states(keras.Sequential([keras.Input((3,))]))
    expected = draws()
    path = tmp_path / "states.json"
    path.write_text(states_file(states))

    keras.utils.set_random_seed(6)
    restoring(states)(str(path), keras.Sequential())

    assert draws() == expected


def test_a_shuffle_of_a_run_without_a_seed_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.random, "shuffle", tf.random.shuffle)
    path = tmp_path / "states.json"
    states = {"tensorflow.shuffle": 77}
    path.write_text(states_file(states))
    generator = tf.random.Generator.from_seed(77, alg="philox")
    expected = [
        tf.random.experimental.stateless_shuffle(tf.range(20), generator.make_seeds()[:, 0])
        for _ in range(2)
    ]

    restoring(states)(str(path), keras.Sequential())

    for each in expected:
        assert tf.random.shuffle(tf.range(20)).numpy().tolist() == each.numpy().tolist()


def test_states_of_layers_are_restored_in_their_order(tmp_path: Path) -> None:
    def model() -> Any:
        inner = keras.Sequential([keras.layers.GaussianNoise(0.1), keras.layers.Dropout(0.5)])
        return keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), inner])

    path, first, second = tmp_path / "states.json", model(), model()
    x = np.ones((2, 3), "float32")
    first(x, training=True)
    states = recorded_states(first)
    path.write_text(states_file(states))
    expected = first(x, training=True).numpy()

    restoring(states)(str(path), second)

    assert json.loads(path.read_text())["keras:layers"][0][1] == 1
    assert (second(x, training=True).numpy() == expected).all()


def test_generators_of_other_backends(ruff: Callable[[str], str]) -> None:
    states = {"torch.cpu": "AAAA", "torch.cuda:1": "AAAA", "keras:global": [1, 0]}
    imports = Imports(())

    source = restoring_function("restore", states, imports)
    text = f"{imports.text(names_in(source))}\n\n\n{source}"
    text = format_python(text, sort_out_imports=True)

    assert "torch.set_rng_state(torch.frombuffer(state, dtype=torch.uint8))" in text
    assert "torch.cuda.set_rng_state(torch.frombuffer(state, dtype=torch.uint8), 1)" in text
    assert "import random" not in text
    assert ruff(text) == ""


def test_unknown_generators_are_told_and_are_no_code() -> None:
    states = {"torch.cuda:0);evil(": "AAAA", "mystery": 1, "python": [3, [1], None]}

    assert unknown_generators(states) == ["torch.cuda:0);evil(", "mystery"]
    assert "evil" not in restoring_function("restore", states, Imports(()))
