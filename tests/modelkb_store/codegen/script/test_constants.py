from __future__ import annotations

import ast

from modelkb_store.codegen.script.constants import Constants


def test_those_of_the_run_come_first() -> None:
    constants = Constants({"EPOCHS", "SIZE"})
    text = "SIZE = (1,\n  2)\n"
    constants.add_recorded(text, ast.parse(text).body)
    constants.add_statement("os.environ['A'] = 'b'")

    assert constants.add("SEED", 3).id == "SEED"
    assert constants.text() == "SEED = 3\nSIZE = (1,\n  2)\nos.environ['A'] = 'b'"


def test_one_that_is_there_with_the_same_value_is_taken() -> None:
    constants = Constants({"EPOCHS", "BATCH_SIZE"})
    text = "EPOCHS = 5\nBATCH_SIZE = 32\n"
    constants.add_recorded(text, ast.parse(text).body)

    assert constants.add("EPOCHS", 5).id == "EPOCHS"
    assert constants.add("BATCH_SIZE", 64).id == "TRAINING_BATCH_SIZE"
    assert constants.text() == "TRAINING_BATCH_SIZE = 64\nEPOCHS = 5\nBATCH_SIZE = 32"


def test_one_is_not_true() -> None:
    constants = Constants({"EPOCHS"})
    constants.add_recorded("EPOCHS = True", ast.parse("EPOCHS = True").body)

    assert constants.add("EPOCHS", 1).id == "TRAINING_EPOCHS"


def test_one_that_nothing_uses_is_left_out() -> None:
    constants = Constants({"SIZE"})
    constants.add_recorded("SIZE = 2", ast.parse("SIZE = 2").body)
    constants.add("SEED", 3)
    constants.add("EPOCHS", 5)

    assert constants.text({"EPOCHS"}) == "EPOCHS = 5\nSIZE = 2"
