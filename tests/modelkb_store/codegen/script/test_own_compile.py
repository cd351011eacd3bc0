from __future__ import annotations

import ast
from typing import Any

import keras
import pytest

from modelkb_callbacks.model_arguments import ModelArguments
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.own_compile import own_compile_keywords
from modelkb_store.codegen.script.own_definitions import parse_definitions

USUAL = {"optimizer": "'rmsprop'", "metrics": "['mae']"}


class Gan(keras.Model):  # type: ignore[misc]
    """A model with two optimizers."""

    def compile(self, d_optimizer: Any, loss_fn: Any, weight: float = 1.0, **kwargs: Any) -> None:
        super().compile(optimizer="sgd", **kwargs)
        self.d_optimizer, self.loss_fn = d_optimizer, loss_fn
        self.weight = weight


def written(text: str, settings: dict[str, Any]) -> tuple[str, list[str]]:
    definitions = parse_definitions(text)
    usual = [ast.keyword(key, ast.parse(value).body[0].value) for key, value in USUAL.items()]  # type: ignore[attr-defined]
    method = definitions.method("Gan", "compile")
    assert method is not None
    keywords, problems = own_compile_keywords(method, usual, settings, definitions, Speller())
    return ast.unparse(ast.fix_missing_locations(ast.Call(ast.Name("c"), [], keywords))), problems


def settings_of(model: keras.Model) -> dict[str, Any]:
    return {f"compile.{k}": v for k, v in ModelArguments.of_compile(model).values.items()}


def test_objects_are_written_as_objects_and_keras_own_arguments_after_them() -> None:
    gan = Gan()
    gan.compile(keras.optimizers.Adam(), keras.losses.Huber(delta=2.0), metrics=["mae"])
    text = """
class Base(keras.Model):
    def compile(self, d_optimizer, loss_fn, weight=1.0, **kwargs):
        super().compile(optimizer="sgd", **kwargs)

class Gan(Base):
    pass
"""

    call, problems = written(text, settings_of(gan))

    assert call == (
        "c(d_optimizer=keras.optimizers.Adam(), loss_fn=keras.losses.Huber(delta=2.0), "
        "weight=1.0, metrics=['mae'])"
    )
    assert problems == []


@pytest.mark.parametrize("takes", ["optimizer, d_optimizer", "optimizer, d_optimizer=None"])
def test_what_it_does_not_keep_is_said(takes: str) -> None:
    text = f"class Gan(keras.Model):\n    def compile(self, {takes}):\n        pass\n"

    call, problems = written(text, {})

    is_needed = "=" not in takes
    assert call == (
        "c(optimizer='rmsprop', d_optimizer=None)" if is_needed else "c(optimizer='rmsprop')"
    )
    (problem,) = problems
    assert problem.startswith("compile: d_optimizer of its own, which ")


def test_a_usual_compile_has_nothing_of_its_own() -> None:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert settings_of(model) == {}
