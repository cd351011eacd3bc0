from __future__ import annotations

import ast

import pytest

from modelkb_store.codegen.script.inert_statements import constants_of, is_inert


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("import numpy as np", True),
        ("A = (1, 'b', [2.5])", True),
        ("a: int = -1", True),
        ("def f(): return random()", True),
        ("'text'", True),
        ("@cached\ndef f(): pass", False),
        ("a = random()", False),
        ("a.b = 1", False),
        ("a = b = 1", False),
        ("call()", False),
        ("class A: x = random()", False),
    ],
)
def test_statements_that_only_name_things(text: str, inert: bool) -> None:
    assert is_inert(ast.parse(text).body[0]) is inert


def test_constants_are_literals_in_capitals_that_stay() -> None:
    tree = ast.parse(
        "A = 1\nB = [2]\nc = 3\nD = f()\nE = 5\nE = 6\nF = 7\n\ndef g():\n    global F\n    F = 8\n"
    )

    assert [ast.unparse(each) for each in constants_of(tree)] == ["A = 1", "B = [2]"]
