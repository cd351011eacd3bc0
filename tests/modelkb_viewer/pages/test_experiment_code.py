from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store import Experiment
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.permissions import CODE_VARIABLE
from page_test import page_test
from small_experiment import experiment_record, record_complete_experiment

Shown = Callable[..., AppTest]


@pytest.fixture
def shown(store: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Runs the tab of an experiment."""
    monkeypatch.delenv(CODE_VARIABLE, raising=False)

    def show(experiment_id: str, **query: str) -> AppTest:
        page = page_test("experiment", store, monkeypatch, id=experiment_id, tab="Code", **query)
        page.run()
        assert not page.exception
        return page

    return show


def codes(page: AppTest) -> list[str]:
    return [each.value for each in page.code if each.language == "python"]


def test_the_script_is_shown_with_what_it_lacks(
    shown: Shown, recorded_experiment: Experiment
) -> None:
    page = shown(recorded_experiment.id)

    assert codes(page) == [recorded_experiment.script().rstrip()]
    (missing,) = page.warning
    assert missing.value.startswith("Not recorded:")
    assert "the statements that made the data" in missing.value
    assert not page.error


def test_an_address_names_what_is_written(shown: Shown, recorded_experiment: Experiment) -> None:
    page = shown(recorded_experiment.id, code="Keras model")

    (code,) = codes(page)
    assert "import keras" in code
    assert "model.fit" not in code
    assert page.segmented_control(key="code").options == [
        "Training",
        "Keras model",
        "PyTorch model",
    ]
    assert "Reproduce" not in [each.value for each in page.subheader]


def test_what_cannot_be_written_is_said_in_its_place(shown: Shown, store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(status="finished"))
    writer.save_experiment()
    writer.close()

    page = shown(writer.experiment.experiment_id)

    (error,) = page.error
    assert error.value.startswith("The code cannot be shown")
    assert codes(page) == []
    assert "Reproduce" in [each.value for each in page.subheader]


def test_without_permission_there_is_no_button(
    shown: Shown, recorded_experiment: Experiment
) -> None:
    page = shown(recorded_experiment.id)

    assert "`modelkb view --run-recorded-code`" in page.info[-1].value
    assert "reproduce" not in [each.key for each in page.button]


def test_with_permission_it_is_asked_before_it_runs(
    shown: Shown, recorded_experiment: Experiment, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown(recorded_experiment.id)
    monkeypatch.setenv(CODE_VARIABLE, str(store))

    page.run()
    page.button(key="reproduce").click().run()

    assert not page.exception
    assert page.button(key="run-reproduction").label == "Run it"
    assert str(Path.cwd()) in [each.value for each in page.code]


def test_a_run_that_goes_on_is_not_done_again(
    shown: Shown, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record())
    writer.save_experiment()
    page = shown(writer.experiment.experiment_id)
    monkeypatch.setenv(CODE_VARIABLE, str(store))

    page.run()
    writer.close()

    assert "It can be reproduced once it has ended." in [each.value for each in page.info]
    assert "reproduce" not in [each.key for each in page.button]


def test_earlier_reproductions_are_compared_when_asked(
    shown: Shown, recorded_experiment: Experiment, store: Path
) -> None:
    again = record_complete_experiment(
        store, number=2, reproduces_experiment_id=recorded_experiment.id
    )

    page = shown(recorded_experiment.id)
    assert not page.success
    page.session_state["earlier-reproductions"] = True
    page.run()

    assert "Earlier reproductions (1)" in [each.label for each in page.expander]
    assert page.success[0].value.startswith("Identical:")
    assert any("9 values, all equal to the bit" in each.value for each in page.markdown)
    assert again.experiment.experiment_id != recorded_experiment.id
