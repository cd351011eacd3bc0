from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_viewer import addresses
from page_test import page_test
from small_experiment import record_complete_experiment
from sweep import record_run, record_sweep

VIEWS = [
    "Overview",
    "Hyperparameters",
    "Metrics",
    "Curves",
    "Evaluation",
    "Architecture",
    "Script",
    "Environment",
]


def fine(page: AppTest) -> AppTest:
    """Return the page, which says no error."""
    assert not page.exception
    assert [each.value for each in page.error] == []
    return page


def test_differences_alone(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = record_sweep(store, count=2)
    page = page_test(
        "compare", store, monkeypatch, id=ids, tab="Hyperparameters", differences="true"
    )
    fine(page.run())
    (table,) = page.dataframe
    assert list(table.value.columns) == ["Hyperparameter", "run-1000", "run-1001"]
    assert set(table.value["Hyperparameter"]) == {"batch_size", "learning_rate", "optimizer"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A store, and the ids of 9 runs in it, of which the last two were evaluated."""
    root = tmp_path_factory.mktemp("many") / "modelkb"
    ids = record_sweep(root, count=7)
    for number in (1, 2):
        writer = record_complete_experiment(root, number=number)
        ids.append(writer.experiment.experiment_id)
    return root, ids


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_many_experiments(
    many: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    fine(page_test("compare", many[0], monkeypatch, id=many[1], tab=view).run())


def test_a_script_that_cannot_be_written_is_said(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = record_sweep(store, count=1)
    ids.append(record_run(store, "sweep", 7, name="*lost*", architecture_id=None))
    page = page_test("compare", store, monkeypatch, id=ids, tab="Script").run()
    assert not page.exception
    assert [r"The script of \*lost\*" in each.value for each in page.error] == [True]


def test_the_difference_of_two_matrices(
    many: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_test("compare", many[0], monkeypatch, id=many[1][-2:], tab="Evaluation").run()
    fine(page)
    assert len(page.get("vega_lite_chart")) == 3
    page.toggle(addresses.SHARES).set_value(True)
    fine(page.run())


def test_what_is_picked_goes_into_the_address(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = record_sweep(store, count=3)
    page = page_test("compare", store, monkeypatch, id=[first, second]).run()
    picker = page.multiselect("compared")
    assert picker.value == [first, second]
    picker.set_value([first, second, third])
    fine(page.run())
    assert page.query_params[addresses.EXPERIMENT] == [first, second, third]
    picker = page.multiselect("compared")
    picker.set_value([third])
    fine(page.run())
    assert "two experiments or more" in page.info[0].value


def test_short_ids_and_names_are_understood(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = record_sweep(store, count=2)
    named = [first.rpartition("-")[2], "run-1001"]
    page = page_test("compare", store, monkeypatch, id=named).run()
    assert fine(page).multiselect("compared").value == [first, second]


def test_an_experiment_that_is_not_there_is_said(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = record_sweep(store, count=2)
    page = page_test("compare", store, monkeypatch, id=["gone", *ids]).run()
    assert "gone" in fine(page).warning[0].value
    assert page.multiselect("compared").value == ids


def test_without_an_address_experiments_are_offered(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_sweep(store, count=3)
    page = page_test("compare", store, monkeypatch).run()
    assert len(fine(page).multiselect("compared").options) == 3


def test_runs_of_several_projects_and_of_one_name(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [record_run(store, project, n, name="base") for n, project in enumerate("ab")]
    page = page_test("compare", store, monkeypatch, id=ids).run()
    (table,) = fine(page).dataframe
    assert list(table.value.columns) == ["Fact", *(f"base ({each[-10:]})" for each in ids)]
