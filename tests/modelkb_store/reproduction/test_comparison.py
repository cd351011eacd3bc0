from __future__ import annotations

from collections.abc import Callable

import pytest

from modelkb_store import Experiment
from modelkb_store.reproduction import FirstDifference, Verdict, compare

RunFactory = Callable[..., Experiment]

LOSS = {"loss": [1.0, 0.5, 0.25]}


def test_the_same_run_twice_is_identical(run_factory: RunFactory) -> None:
    ids = {"architecture_id": "a1" * 16, "initial_weights_id": "77" * 16}
    original, again = run_factory(**ids), run_factory(**ids)

    found = compare(original, again)

    assert (found.experiment_id, found.reproduction_id) == (original.id, again.id)
    assert found.verdict is Verdict.IDENTICAL
    assert found.same_architecture is True
    assert found.same_initial_weights is True
    assert found.same_final_weights is True
    assert (found.compared_values, found.max_difference) == (6, 0.0)
    assert found.first_difference is None
    assert found.not_compared == ()
    assert found.causes == ()


def test_what_is_not_recorded_is_not_known(run_factory: RunFactory) -> None:
    found = compare(
        run_factory(weights=None, architecture_id="a1" * 16),
        run_factory(initial_weights_id="77" * 16),
    )

    assert found.verdict is Verdict.IDENTICAL
    assert found.same_architecture is None
    assert found.same_initial_weights is None
    assert found.same_final_weights is None


@pytest.mark.parametrize(
    ("last", "verdict", "difference"),
    [(0.2501, Verdict.CLOSE, 0.2501 - 0.25), (0.5, Verdict.DIFFERENT, 0.25)],
)
def test_another_value(
    run_factory: RunFactory, last: float, verdict: Verdict, difference: float
) -> None:
    found = compare(run_factory(LOSS), run_factory({"loss": [1.0, 0.5, last]}))

    assert found.verdict is verdict
    assert found.max_difference == difference
    assert found.first_difference == FirstDifference("loss", 2)
    assert found.causes


def test_other_final_weights_are_not_identical(run_factory: RunFactory) -> None:
    found = compare(run_factory(weights=1.0), run_factory(weights=2.0))

    assert found.verdict is Verdict.CLOSE
    assert found.same_final_weights is False
    assert found.first_difference is None


def test_other_epochs_are_different(run_factory: RunFactory) -> None:
    found = compare(run_factory(LOSS), run_factory({"loss": [1.0, 0.5]}, epochs_completed=2))

    assert found.verdict is Verdict.DIFFERENT
    assert found.max_difference == 0.0
    assert found.not_compared == ("loss",)
    assert str(found.causes[0]) == "epochs: the original trained 3 epochs, the reproduction 2"


def test_what_was_cut_off_is_close_as_far_as_it_went(run_factory: RunFactory) -> None:
    original = run_factory({"loss": [1.0]}, status="interrupted", epochs_completed=1)

    found = compare(original, run_factory(LOSS))

    assert found.verdict is Verdict.CLOSE
    assert "epochs: the original trained 1 epochs and was interrupted, the reproduction 3" in map(
        str, found.causes
    )


def test_an_evaluation_that_is_missing_is_named_only(run_factory: RunFactory) -> None:
    found = compare(run_factory({**LOSS, "test_loss": [1.5]}), run_factory(LOSS))

    assert found.verdict is Verdict.IDENTICAL
    assert found.not_compared == ("test_loss",)


def test_runs_without_curves_are_compared_by_their_weights(run_factory: RunFactory) -> None:
    assert compare(run_factory({}), run_factory({})).verdict is Verdict.IDENTICAL
    assert compare(run_factory({}), run_factory({}, weights=2.0)).verdict is Verdict.DIFFERENT
    found = compare(run_factory({}, weights=None), run_factory({}, weights=None))
    assert found.verdict is Verdict.DIFFERENT
    assert found.max_difference is None
    assert [cause.kind for cause in found.causes][-1] == "curves"


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_reproduction_that_did_not_end_has_failed(run_factory: RunFactory, status: str) -> None:
    again = run_factory(LOSS, status=status, problems=("stopped: MemoryError",))

    found = compare(run_factory(LOSS), again)

    assert found.verdict is Verdict.FAILED
    assert str(found.causes[0]) == "error: stopped: MemoryError"
    assert found.max_difference == 0.0
