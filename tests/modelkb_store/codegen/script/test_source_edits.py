from __future__ import annotations

import ast

import pytest

from modelkb_store.codegen.script.source_edits import (
    SourceEdits,
    names_in,
    renamed,
    source_of,
)

PROGRAM = """\
import numpy as np

for i in range(3):
    with open("a") as file:
        fit_data = {
            "x": i,
        }
print(i)
"""


def inner(program: str) -> ast.stmt:
    loop = ast.parse(program).body[1]
    assert isinstance(loop, ast.For)
    block = loop.body[0]
    assert isinstance(block, ast.With)
    return block.body[0]


def test_a_statement_is_replaced_where_it_is() -> None:
    edits = SourceEdits(PROGRAM)
    edits.replace(inner(PROGRAM), "fit(\n    x,\n)\nprint()")
    edits.remove(ast.parse(PROGRAM).body[0])
    edits.insert_after(ast.parse(PROGRAM).body[2], "end()")

    assert edits.result() == (
        "\nfor i in range(3):\n"
        '    with open("a") as file:\n'
        "        fit(\n            x,\n        )\n        print()\n"
        "print(i)\nend()\n"
    )


def test_a_text_without_a_line_end_is_changed_too() -> None:
    edits = SourceEdits("a = 1")
    edits.insert_after(ast.parse("a = 1").body[0], "b = 2")

    assert edits.result() == "a = 1\nb = 2\n"


def test_a_separator_within_a_string_ends_no_line() -> None:
    text = 'WORDS = "a\u2028b\x85c"\nif WORDS:\n    # \x0c\n    old()\n'
    words, condition = ast.parse(text).body
    assert isinstance(condition, ast.If)
    edits = SourceEdits(text)
    edits.replace(condition.body[0], 'print("\u2028")\nprint()')

    assert edits.result() == text.replace("old()", 'print("\u2028")\n    print()')
    assert source_of(text, [words]) == 'WORDS = "a\u2028b\x85c"'
    assert renamed(text, {"old": "new"}) == text.replace("old", "new")


def test_decorators_belong_to_a_definition() -> None:
    text = "x = 1\n\n\n@a\n@b\ndef f():\n    pass\n"

    assert source_of(text, ast.parse(text).body[1:]) == "@a\n@b\ndef f():\n    pass"


def test_names_are_changed_and_attributes_and_texts_are_not() -> None:
    text = 'def build():\n    "ä"; return layers.Dense(layers.x, name="layers")\n\n\nbuild()\n'

    changed = renamed(text, {"layers": "nn", "build": "make"})

    assert changed == 'def make():\n    "ä"; return nn.Dense(nn.x, name="layers")\n\n\nmake()\n'
    assert renamed(text, {}) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a.b, c as d", {"a", "d"}),
        ("def f(x, *y, **z): return x.attribute", {"f", "x", "y", "z"}),
        ("class A: b = 1", {"A", "b"}),
        ("try: pass\nexcept E as e: pass", {"E", "e"}),
        ("def f():\n    global g", {"f", "g"}),
        ("match a:\n    case [b, *c]: pass", {"a", "b", "c"}),
    ],
)
def test_names_of_every_kind_are_found(text: str, names: set[str]) -> None:
    assert names_in(text) == names
