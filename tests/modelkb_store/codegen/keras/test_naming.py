from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store.codegen.keras.naming import Wishes, identifier, with_readable_names


def _named(text: str, wishes: Wishes | None = None, taken: tuple[str, ...] = ()) -> str:
    statements = ast.parse(text).body
    named = with_readable_names(statements, wishes or Wishes(), taken)
    return "; ".join(ast.unparse(each) for each in named)


def test_a_value_that_flows_on_has_one_name() -> None:
    assert _named("a = f(); b = g(a); c = h(b)") == "x = f(); x = g(x); x = h(x)"


def test_a_value_that_is_still_needed_keeps_its_name() -> None:
    wishes = Wishes(kept={"a": "residual"})
    text = "a = f(); b = g(a); c = h(b); d = add(a, c)"
    assert _named(text, wishes) == (
        "residual = f(); x = g(residual); x = h(x); x = add(residual, x)"
    )


def test_a_wish_to_be_kept_is_for_values_that_are_kept() -> None:
    assert _named("a = f(); b = g(a)", Wishes(kept={"a": "residual"})) == "x = f(); x = g(x)"


def test_names_that_mean_something_else_are_left_alone() -> None:
    assert _named("a = f(x)", taken=("x",)) == "x_2 = f(x)"


def test_what_a_loop_carries_is_needed_until_its_end() -> None:
    text = "a = f()\nfor i in range(3):\n    b = g(a)\n    a = h(b, i)\nc = k(a)"
    named = _named(text)
    original = _run(text)
    assert _run(named.replace("; ", "\n")) == original


def test_a_layer_keeps_its_name_to_itself() -> None:
    wishes = Wishes(always={"a": "dense"}, kept={"b": "dense"}, lasting={"a"})
    assert _named("a = f(); b = a(1); c = a(2); d = g(b, c)", wishes) == (
        "dense = f(); dense_2 = dense(1); x = dense(2); x = g(dense_2, x)"
    )


def _run(text: str) -> list[object]:
    """Return the calls that a program makes; each call gives a value of its own."""
    calls: list[object] = []

    def function(name: str) -> object:
        def call(*args: object) -> object:
            calls.append((name, args))
            return f"{name}{len(calls)}"

        return call

    exec(text, {name: function(name) for name in "fghk"})
    return calls


@given(st.lists(st.lists(st.integers(0, 6), max_size=3), min_size=1, max_size=12))
def test_any_program_does_the_same(reads: list[list[int]]) -> None:
    lines = []
    for number, each in enumerate(reads):
        arguments = ", ".join(f"v{read}" for read in each if read < number)
        lines.append(f"v{number} = f({arguments})")
    text = "\n".join(lines)
    assert _run(_named(text).replace("; ", "\n")) == _run(text)


@given(st.text())
def test_any_text_is_a_name(text: str) -> None:
    name = identifier(text)
    assert name.isidentifier()
    ast.parse(f"{name} = 1")


@pytest.mark.parametrize("text", ["class", "print", "1a", "", "é", "a b", "__import__('os')"])
def test_names_shadow_nothing_of_python(text: str) -> None:
    scope: dict[str, object] = {}
    exec(f"{identifier(text)} = 1\nprint, list", scope)
