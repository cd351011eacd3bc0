from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from modelkb_store import Experiment
from modelkb_store.reproduction.causes import causes_of_difference
from small_experiment import DATASET, ENVIRONMENT, IMPLEMENTATION

RunFactory = Callable[..., Experiment]

SOURCE = replace(IMPLEMENTATION, data_slice="fit_data = {}\n", definitions=None)
DATA = replace(DATASET, fingerprint_scope="all", fingerprint_sample_count=1500)


@pytest.fixture
def run(run_factory: RunFactory) -> RunFactory:
    """Records a run of which everything is known."""

    def make(**changes: object) -> Experiment:
        return run_factory(**{"implementation": SOURCE, "dataset": DATA, **changes})

    return make


def causes(original: Experiment, again: Experiment, **known: bool) -> list[str]:
    return [str(cause) for cause in causes_of_difference(original, again, **known)]


def test_other_data(run: RunFactory) -> None:
    other = replace(DATA, dataset_id="d9" * 16, fingerprint="f9" * 16)
    fewer = replace(other, dataset_id="d8" * 16, sample_count=1499)

    assert causes(run(), run(dataset=other)) == [
        "data: the training data is not the same any more: it has another fingerprint"
    ]
    assert causes(run(), run(dataset=fewer)) == [
        "data: the training data is not the same any more: 1,500 samples then, and 1,499 now"
    ]


def test_data_that_cannot_be_compared_comes_last(run: RunFactory) -> None:
    unseen = replace(DATA, dataset_id="d7" * 16, fingerprint=None)

    assert causes(run(seed=None), run(dataset=unseen)) == [
        "seed: the original set no seed; its initial weights were not kept",
        "data: whether the training data is the same cannot be known",
    ]
    assert causes(run(), run(dataset=None)) == [
        "data: no training data is recorded of the reproduction"
    ]


def test_a_start_that_is_not_the_same(run: RunFactory) -> None:
    parent = "20260102-030405678-00000000ff"

    assert causes(run(parent_experiment_id=parent), run(), same_initial_weights=False) == [
        f"start: the model came out of experiment {parent}, and its weights were not kept",
        "start: the weights were not the same when training began",
    ]
    assert causes(run(seed=None, initial=True), run())[0] == (
        "seed: the original set no seed; its initial weights were restored, but not all that was "
        "drawn later may be"
    )
    assert causes(run(parent_experiment_id=parent, initial=True), run())[0] == (
        f"start: the model came out of experiment {parent}, and the optimizer's state at its "
        "start was not kept"
    )


def test_another_architecture_comes_first(run: RunFactory) -> None:
    found = causes(run(seed=None), run(), same_architecture=False)

    assert found[0] == "architecture: the reproduction trained another architecture"
    assert len(found) == 2


def test_what_could_not_be_followed_in_the_source(run: RunFactory) -> None:
    problems = tuple(f"line {number}: `eval` is not followed" for number in range(7))
    source = replace(SOURCE, implementation_id="b2" * 16, source_problems=problems)

    found = causes(run(implementation=source), run())

    assert found == [
        *(f"source: {each}" for each in problems[:5]),
        "source: and 2 more of the kind",
    ]
    assert causes(run(implementation=None), run()) == [
        "source: how the original made its data is not recorded"
    ]


def test_environments_that_differ_are_named(run: RunFactory) -> None:
    other = replace(ENVIRONMENT, environment_id="e2" * 16, keras_version="3.16.0")

    assert causes(run(), run(environment=other)) == [
        "keras: Keras was 3.15.1 then, and is 3.16.0 now"
    ]


def test_where_nothing_differs_indeterminism_is_left(run: RunFactory) -> None:
    loose = replace(ENVIRONMENT, environment_id="e3" * 16, deterministic_ops=False)

    assert causes(run(), run()) == ["unknown: nothing that is recorded of the two runs differs"]
    (cause,) = causes(run(environment=loose), run(environment=loose))
    assert cause.startswith("determinism: the backend was not told to be deterministic")
    assert "on a GPU" in cause


def test_what_the_script_lacks_comes_before_guesses(run: RunFactory) -> None:
    scheduler = {"class_name": "LearningRateScheduler", "config": {"schedule": "<lambda>"}}

    loose = replace(ENVIRONMENT, environment_id="e3" * 16, deterministic_ops=False)

    found = causes(run(callbacks=[scheduler], environment=loose), run(environment=loose))

    assert found[:-1] == [
        "script: callbacks: LearningRateScheduler, as its schedule is not known",
        "script: compile: how the model was compiled is not known",
    ]
    assert found[-1].startswith("determinism: ")
