from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import keras
import pytest

from modelkb_callbacks.hyperparameters import _description_of
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.callbacks import Callbacks
from modelkb_store.codegen.script.own_definitions import parse_definitions
from modelkb_store.codegen.script.recorded import Recorded, Setting

Factory = Callable[..., Recorded]
OWN = """\
def halve(epoch, rate):
    return rate / 2


class Printer(keras.callbacks.Callback):
    def __init__(self, word, *, times=1, schedule=None):
        super().__init__()


class Plain(keras.callbacks.Callback):
    pass
"""


@pytest.fixture
def written(recorded_factory: Factory) -> Callable[..., tuple[list[str], list[str]]]:
    """Writes callbacks as they are recorded; returns them and the problems."""

    def write(*described: Any, definitions: str = "") -> tuple[list[str], list[str]]:
        recorded = recorded_factory(settings={"callbacks": Setting(list(described), "fit")})
        parsed = parse_definitions(definitions)
        writer = Callbacks(recorded, parsed, Speller(definitions=parsed.names))
        found = [ast.unparse(ast.fix_missing_locations(each)) for each in writer.write()]
        return found, writer.problems

    return write


Written = Callable[..., tuple[list[str], list[str]]]


def halve(epoch: int, rate: float) -> float:
    return rate / 2


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping(patience=3, min_delta=0.5, mode="min"),
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=1e-6),
        keras.callbacks.CSVLogger("a.csv", append=True),
        keras.callbacks.CSVLogger("a.csv", separator=";"),
        keras.callbacks.ModelCheckpoint("a.keras", mode="max", initial_value_threshold=0.5),
        keras.callbacks.TensorBoard("logs"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.BackupAndRestore("there", save_freq=5),
        keras.callbacks.LearningRateScheduler(halve, verbose=1),
        keras.callbacks.LambdaCallback(on_epoch_end=halve),
        keras.callbacks.SwapEMAWeights(),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_callbacks_of_keras_come_back(written: Written, callback: Any) -> None:
    described = _description_of(callback)

    (text,), problems = written(described, definitions=OWN)

    again = eval(text, {"keras": keras, "halve": halve})
    assert _description_of(again) == described
    assert problems == []


def test_what_a_callback_does_not_keep_is_said(written: Written) -> None:
    described = _description_of(keras.callbacks.CSVLogger("a.csv"))
    del described["config"]["separator"]  # as older recordings have it

    (text,), problems = written(described)

    assert text == "keras.callbacks.CSVLogger('a.csv')"
    assert problems == [
        "callbacks: separator of CSVLogger, which it does not keep; the script has the default"
    ]


def test_functions_without_source_are_said(written: Written) -> None:
    found, problems = written(_description_of(keras.callbacks.LearningRateScheduler(halve)))

    assert found == []
    assert problems == ["callbacks: LearningRateScheduler, as its schedule is not known"]


def test_callbacks_of_the_users_are_made_from_what_they_kept(written: Written) -> None:
    described = {
        "class_name": "Printer",
        "config": {"word": "a'b", "times": 2, "schedule": "halve"},
    }

    found, problems = written(described, {"class_name": "Plain", "config": {}}, definitions=OWN)

    assert found == ['Printer(word="a\'b", times=2, schedule=halve)', "Plain()"]
    assert problems == []


def test_those_that_cannot_be_made_are_said(written: Written) -> None:
    found, problems = written(
        {"class_name": "Printer", "config": {"times": 2}},
        {"class_name": "Lost", "config": {}},
        "... 3 more",
        definitions=OWN,
    )

    assert found == []
    assert problems == [
        "callbacks: Printer, as its word is not known",
        "callbacks: Lost, whose source is not known",
        "callbacks: ... 3 more",
    ]


def test_values_that_were_cut_are_said(written: Written) -> None:
    (text,), problems = written(
        {"class_name": "Printer", "config": {"word": "a", "times": [1, "... 7 more"]}},
        definitions=OWN,
    )

    assert text == "Printer(word='a')"
    assert problems == [
        "callbacks: times, schedule of Printer, which it does not keep; the script has the default"
    ]


def test_names_of_classes_are_never_code(written: Written) -> None:
    found, problems = written({"class_name": "x; import os", "config": {}})

    assert found == []
    assert len(problems) == 1
