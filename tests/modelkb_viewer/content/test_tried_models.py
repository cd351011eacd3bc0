from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Store
from modelkb_viewer.content.tried_models import (
    offered_experiments,
    prepare_inputs,
    try_experiment,
)
from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.given import Given, Way
from modelkb_viewer.prediction.predictor import Predictor
from modelkb_viewer.prediction.recording import TriedPredictions
from small_experiment import DATASET

AGE, WIDTH = Given(Way.FORM, fields=(1.0,)), Given(Way.FORM, fields=(2.0,))


def _recorded(writer: Any, *names: str | None) -> Any:
    inputs = json.dumps([{"name": name, "shape": [], "dtype": "float32"} for name in names])
    dataset = dataclasses.replace(DATASET, dataset_id=str(len(names)) * 32, inputs=inputs)
    writer.add_dataset(dataset)
    writer.set(dataset_id=dataset.dataset_id)
    writer.save_experiment()
    return Store(writer.home.files.root).experiment(writer.experiment.experiment_id)


def test_the_others_of_a_project_are_offered_newest_first(writer_factory: Any) -> None:
    first, second, third = (writer_factory(name=name) for name in ("a", "b", "c"))
    elsewhere = writer_factory(project="other")
    for writer in (first, third, elsewhere):
        writer.save_experiment()
    experiment = _recorded(second, None)
    third_id, first_id = (each.experiment.experiment_id for each in (third, first))
    offered = offered_experiments(Store(second.home.files.root), experiment)
    assert offered == {third_id: f"c ({third_id[-10:]})", first_id: f"a ({first_id[-10:]})"}


def test_a_name_that_ends_with_the_id_is_enough(writer_factory: Any) -> None:
    experiment = _recorded(writer_factory(), None)
    other = writer_factory()
    name = f"digits-{other.experiment.experiment_id[-10:]}"
    other.set(name=name)
    other.save_experiment()
    offered = offered_experiments(Store(other.home.files.root), experiment)
    assert list(offered.values()) == [name]


def test_inputs_meet_by_their_names_else_by_their_order(writer_factory: Any) -> None:
    experiment = _recorded(writer_factory(), "age", "width")
    _, prepared = prepare_inputs(experiment, {"width": WIDTH, "age": AGE})
    assert [each.array[0] for each in prepared] == [1.0, 2.0]
    _, prepared = prepare_inputs(experiment, {"x": WIDTH, "y": AGE})
    assert [each.array[0] for each in prepared] == [2.0, 1.0]
    with pytest.raises(InputError, match="there are 1. Expected: 2 of them"):
        prepare_inputs(experiment, {"age": AGE})


def test_what_goes_wrong_is_said_of_the_experiment(store: Path, writer_factory: Any) -> None:
    experiment = _recorded(writer_factory(), "age")
    predictor, tried = Predictor(str(store)), TriedPredictions(str(store))
    numbers = Given(Way.NUMBERS, text="x")
    wrong = try_experiment(experiment, None, {"age": numbers}, predictor, tried)
    assert "'x' is none" in str(wrong.problem)
    without = try_experiment(experiment, "best", {"age": AGE}, predictor, tried)
    assert "no weights" in str(without.problem)
    assert predictor.process_ids() == {}
