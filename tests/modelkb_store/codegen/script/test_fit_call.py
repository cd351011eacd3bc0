from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

from modelkb_store.codegen.script.constants import Constants
from modelkb_store.codegen.script.fit_call import FitCall, evaluate_statement
from modelkb_store.codegen.script.recorded import Recorded, Setting

Factory = Callable[..., Recorded]


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def written(recorded: Recorded, data: str, callbacks: list[str] = []) -> tuple[str, str, list[str]]:  # noqa: B006
    constants = Constants(())
    fit = FitCall(recorded, constants)
    call = fit.write("model", expression(data), [expression(each) for each in callbacks])
    return ast.unparse(ast.fix_missing_locations(call)), constants.text(), fit.problems


def test_arguments_stand_as_people_write_them(recorded_factory: Factory) -> None:
    recorded = recorded_factory(
        settings={
            "shuffle": Setting(True, "fit"),
            "validation_freq": Setting(1, "fit"),
            "verbose": Setting(2, "fit"),
        }
    )

    text, constants, problems = written(
        recorded, '{"x": x_train, "y": y_train, "validation_data": (a, b)}', ["stop"]
    )

    assert text == (
        "model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, "
        "validation_data=(a, b), callbacks=[stop], verbose=2)"
    )
    assert constants == "BATCH_SIZE = 4\nEPOCHS = 2"
    assert problems == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shuffle", False),
        ("validation_split", 0.25),
        ("initial_epoch", 3),
        ("steps_per_epoch", 7),
        ("validation_steps", 5),
        ("validation_batch_size", 9),
        ("validation_freq", [1, 3]),
        ("verbose", 0),
    ],
)
def test_settings_that_are_not_the_defaults(
    recorded_factory: Factory, name: str, value: Any
) -> None:
    recorded = recorded_factory(settings={name: Setting(value, "fit")})

    assert f"{name}={value!r}" in written(recorded, '{"x": data}')[0]


def test_class_weights_are_numbered_again(recorded_factory: Factory) -> None:
    recorded = recorded_factory(settings={"class_weight": Setting({"0": 1.0, "1": 2.5}, "fit")})

    assert "class_weight={0: 1.0, 1: 2.5}" in written(recorded, '{"x": x, "y": y}')[0]
    data = '{"x": x, "y": y, "class_weight": weights}'
    assert "class_weight=weights" in written(recorded, data)[0]
    cut = recorded_factory(settings={"class_weight": Setting({"0": 1.0, "...": "9 more"}, "fit")})
    text, _, problems = written(cut, '{"x": x}')
    assert "class_weight" not in text
    assert problems == ["fit: class_weight, which has too many classes"]


def test_a_parameter_of_the_users_hides_an_argument(recorded_factory: Factory) -> None:
    recorded = recorded_factory(
        settings={"batch_size": Setting(64, "user"), "epochs": Setting(99, "user")}
    )

    text, constants, problems = written(recorded, '{"x": x}')

    assert text == "model.fit(x, batch_size=BATCH_SIZE, epochs=EPOCHS)"
    assert constants == "BATCH_SIZE = 64\nEPOCHS = 2"
    assert len(problems) == 1
    assert "batch_size" in problems[0]


def test_what_only_the_scanner_read_is_no_argument(recorded_factory: Factory) -> None:
    recorded = recorded_factory(settings={"batch_size": Setting(64, "scanner")})

    assert written(recorded, '{"x": x}')[0] == "model.fit(x, epochs=EPOCHS)"


def test_starred_data_stays_starred(recorded_factory: Factory) -> None:
    text, _, _ = written(recorded_factory(), "{**data}")

    assert text == "model.fit(batch_size=BATCH_SIZE, epochs=EPOCHS, **data)"


def test_a_target_without_inputs_is_named(recorded_factory: Factory) -> None:
    assert written(recorded_factory(), '{"y": y}')[0].startswith("model.fit(batch_size=")
    assert "y=y" in written(recorded_factory(), '{"y": y}')[0]


def test_evaluations_print_what_they_give() -> None:
    data = expression('{"x": x_test, "y": y_test, "verbose": 0, "return_dict": False}')

    statement = ast.unparse(ast.fix_missing_locations(evaluate_statement("net", data)))

    assert statement == "print(net.evaluate(x_test, y_test, verbose=0, return_dict=True))"
