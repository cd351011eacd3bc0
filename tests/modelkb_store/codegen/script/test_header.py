from __future__ import annotations

import ast
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from modelkb_store.codegen.script.header import docstring, header_text, one_line
from modelkb_store.codegen.script.recorded import Recorded


def test_it_says_which_experiment_it_is_of(recorded_factory: Callable[..., Recorded]) -> None:
    recorded = recorded_factory(record={"notes": "first try\nof many"})

    assert header_text(recorded, "again.py", ["a", "b", "a"], ["A note."]) == (
        "run-1: this training as ModelKB recorded it.\n\n"
        "Experiment 20260102-030405678-0000000001 of the project digits, run from train.py on\n"
        "2026-01-02 at 03:05 UTC by Python 3.11.7, Keras 3.15.1, TensorFlow 2.21.0, ModelKB\n"
        "0.1.0. Written by ModelKB 0.1.0.\n\n"
        "Run it with: python again.py\n\n"
        "A note.\n\n"
        "Notes:\n- first try\n- of many\n\n"
        "Not recorded:\n- a\n- b"
    )


def test_the_seed_of_hashes_is_part_of_the_command(
    recorded_factory: Callable[..., Recorded],
) -> None:
    recorded = recorded_factory(environment={"variables": {"PYTHONHASHSEED": "0"}})

    assert "Run it with: PYTHONHASHSEED=0 python a.py" in header_text(recorded, "a.py", [])


@given(st.text(alphabet=st.characters(codec=None, categories=None) | st.sampled_from("\"'\\\n\r")))
@example('"""; import os; """')
@example('\\"""')
@example('ends with "')
@example("ends with \\")
@example('""""')
@example("\ud800 \x00 \u2028 x")
def test_any_text_stays_a_string(text: str) -> None:
    literal = docstring(text)

    value = ast.literal_eval(literal)
    assert (
        value.rstrip() == "\n".join(one_line(each).rstrip() for each in text.splitlines()).rstrip()
    )
    compile(literal.encode(), "script", "exec")
