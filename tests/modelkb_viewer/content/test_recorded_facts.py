from __future__ import annotations

import pytest

from modelkb_store import SCHEMAS, Experiment
from modelkb_viewer.content.recorded_facts import (
    fact_groups,
    matching,
    size_text,
    text_of,
    words,
)


def facts(experiment: Experiment) -> dict[str, dict[str, str]]:
    return {
        group.title: dict(zip(group.facts["Name"], group.facts["Value"], strict=True))
        for group in fact_groups(experiment, None)
    }


def test_every_entity_has_a_group(recorded_experiment: Experiment) -> None:
    found = facts(recorded_experiment)
    assert set(found) == {
        *("Experiment", "Model", "Hyperparameters", "Training data", "Validation data"),
        *("Metrics", "Evaluations", "Environment", "Packages", "Environment variables"),
        *("Implementation", "Definitions of layers, losses and callbacks"),
        *("Artifacts", "Checkpoints", "Random states"),
    }
    assert found["Packages"]["numpy"] == "2.4.6"
    assert found["Hyperparameters"]["learning_rate"] == "0.001"
    assert found["Training data"]["Input x"] == "float32 (4)"
    assert found["Environment"]["Memory"] == "8.59 GB"
    assert found["Model"]["compile: loss"] == "mse"
    assert found["Experiment"]["Project"] == "digits"


def test_every_column_of_the_experiment_with_a_value_is_there(
    recorded_experiment: Experiment,
) -> None:
    shown = facts(recorded_experiment)["Experiment"]
    for column in SCHEMAS["experiments"].names:
        has_value = getattr(recorded_experiment.record, column) not in (None, "", ())
        assert (words(column) in shown) == has_value, column


def test_hyperparameters_say_where_they_were_seen(recorded_experiment: Experiment) -> None:
    (group,) = (
        each for each in fact_groups(recorded_experiment, None) if each.title == "Hyperparameters"
    )
    source = dict(zip(group.facts["Name"], group.facts["Source"], strict=True))
    assert source["epochs"] == "argument of fit"


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("learning rate", {"Hyperparameters"}),
        ("LEARNING_RATE", {"Hyperparameters"}),
        ("numpy 2.4", {"Packages"}),
        ("import keras", {"Definitions of layers, losses and callbacks"}),
        ("console", {"Artifacts"}),
        ("no such word", set()),
    ],
)
def test_a_search_finds_names_and_values(
    recorded_experiment: Experiment, search: str, titles: set[str]
) -> None:
    found = matching(fact_groups(recorded_experiment, None), search)
    assert {group.title for group in found} == titles


def test_values_are_texts_with_all_their_digits() -> None:
    assert text_of(0.0010000000474974513) == "0.0010000000474974513"
    assert text_of(["a", "b"]) == "a, b"
    assert text_of({"a": None}) == '{"a": null}'
    assert size_text(999) == "999 B"
    assert size_text(2_500_000) == "2.5 MB"


def test_names_of_columns_are_for_people() -> None:
    assert words("python_version") == "Python version"
    assert words("modelkb_version") == "ModelKB version"
