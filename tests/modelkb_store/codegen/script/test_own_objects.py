from __future__ import annotations

import ast
from typing import Any

import pytest

from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.own_definitions import parse_definitions
from modelkb_store.codegen.script.own_objects import OwnObjects

DEFINITIONS = """
class Focal(keras.losses.Loss):
    def __init__(self, gamma=2.0, name="focal"):
        super().__init__(name=name)
        self._gamma = gamma

class Scaled(keras.metrics.Metric):
    def __init__(self, scale, hidden=1, name="mine", **kwargs):
        super().__init__(name=name, **kwargs)
        self.scale = scale

class Plain(keras.losses.Loss):
    pass
"""


def entry(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def written(argument: str, value: Any, **settings: Any) -> tuple[str, list[str]]:
    definitions = parse_definitions(DEFINITIONS)
    named = {name.replace("__", "."): value for name, value in settings.items()}
    objects = OwnObjects(definitions, named, Speller(definitions=definitions.names))
    made = objects.structure(argument, value)
    return ast.unparse(ast.fix_missing_locations(made)), objects.problems


def test_an_argument_comes_from_the_attribute_that_was_recorded() -> None:
    focal = entry("Focal", name="focal", reduction="sum_over_batch_size")

    assert written("loss", focal, loss__gamma=1.5) == ("Focal(gamma=1.5)", [])
    assert written("loss", {"a": focal}, loss__focal__gamma=0.5) == (
        "{'a': Focal(gamma=0.5)}",
        [],
    )


def test_an_argument_that_was_not_recorded_was_the_default() -> None:
    assert written("loss", entry("Focal", name="focal", reduction="sum")) == ("Focal()", [])


def test_an_argument_that_no_attribute_keeps_is_told() -> None:
    text, problems = written("metrics", [entry("Scaled", name="mine")], metrics__mine__scale=3)

    assert text == "[Scaled(scale=3)]"
    assert problems == [
        "compile: hidden of Scaled, which it does not keep; the script has the default"
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (entry("Focal", name="other"), "Focal(name='other')"),
        (entry("Plain", name="plain", reduction="sum_over_batch_size"), "Plain()"),
        (entry("Plain", name="p", reduction="sum"), "Plain(name='p', reduction='sum')"),
        (["acc", entry("tests>Focal", gamma=3)], "['acc', Focal(gamma=3)]"),
    ],
)
def test_names_and_reductions_are_written_where_they_were_chosen(given: Any, text: str) -> None:
    assert written("loss", given) == (text, [])
