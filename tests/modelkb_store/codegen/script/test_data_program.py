from __future__ import annotations

import ast

import pytest

from modelkb_store.codegen.script.data_program import (
    condition_of_last_pass,
    is_plain_seeding,
    parse_data_program,
)

IN_BLOCKS = """\
import tempfile

for fold in range(3):
    with tempfile.TemporaryDirectory() as folder:
        fit_data = {"x": folder}
        evaluate_data = {"x": 1}
        evaluate_data_2 = {"x": 2}
    if fold == 2:
        break
"""


def test_places_are_found_in_blocks() -> None:
    program = parse_data_program(IN_BLOCKS)

    assert program.fit is not None
    assert ast.unparse(program.fit.value) == "{'x': folder}"
    assert not program.fit.is_outermost
    assert [ast.unparse(each.value) for each in program.evaluations] == ["{'x': 1}", "{'x': 2}"]
    assert program.seedings == ()


def test_only_the_last_pass_of_a_loop_trains() -> None:
    place = parse_data_program(IN_BLOCKS).fit
    assert place is not None

    condition = condition_of_last_pass(place)

    assert condition is not None
    assert ast.unparse(condition) == "fold == 2"


def test_a_loop_that_is_left_at_once_has_no_condition() -> None:
    place = parse_data_program("for i in a:\n    fit_data = {}\n    break\n").fit
    assert place is not None

    assert condition_of_last_pass(place) is None


def test_passes_of_two_loops_are_both_asked_for() -> None:
    text = (
        "for i in a:\n    for j in b:\n        fit_data = {}\n        if j == 1:\n"
        "            break\n    if i == 2:\n        break\n"
    )
    place = parse_data_program(text).fit
    assert place is not None

    condition = condition_of_last_pass(place)

    assert condition is not None
    assert ast.unparse(condition) == "i == 2 and j == 1"


def test_a_seed_is_also_set_by_functions() -> None:
    program = parse_data_program(
        "def inner():\n    keras.utils.set_random_seed(1)\n\n"
        "def seed_everything():\n    inner()\n\n"
        "seed_everything()\nprint()\nkeras.utils.set_random_seed(2)\n"
    )

    assert [ast.unparse(each.statement) for each in program.seedings] == [
        "seed_everything()",
        "keras.utils.set_random_seed(2)",
    ]
    assert [is_plain_seeding(each) for each in program.seedings] == [False, True]


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("import sys\nx = sys.argv[1]", True),
        ("import argparse\np = argparse.ArgumentParser()\na = p.parse_args()", True),
        ("x = 1", False),
    ],
)
def test_what_reads_the_command_line_is_seen(text: str, reads: bool) -> None:
    assert parse_data_program(text).reads_command_line is reads
