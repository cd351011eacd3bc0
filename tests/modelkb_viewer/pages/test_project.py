from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_viewer.pages import project_table
from page_test import page_test
from running_experiment import running_experiment
from sweep import record_sweep

Project = Callable[..., AppTest]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A store with a project of twelve runs, and their ids."""
    root = tmp_path_factory.mktemp("swept") / "store"
    return root, record_sweep(root)


@pytest.fixture
def project(swept: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> Project:
    """The page of the project, run."""

    def show(**query: str | list[str]) -> AppTest:
        page = page_test("project", swept[0], monkeypatch, **{"project": "sweep", **query}).run()
        assert not page.exception
        return page

    return show


def shown(page: AppTest) -> Any:
    """The rows of the table."""
    return page.dataframe[0].value


def names(page: AppTest) -> list[str]:
    """The names of the experiments in the table."""
    return list(shown(page)["name"])


def test_every_experiment_the_newest_first(project: Project) -> None:
    page = project()

    assert page.title[0].value == "sweep"
    assert names(page) == [f"run-{1000 + number}" for number in reversed(range(12))]
    assert "params.learning_rate" in shown(page)
    assert "**12 experiments**" in [element.value for element in page.markdown]
    assert not page.error


def test_without_a_name_projects_are_offered(project: Project, swept: Any) -> None:
    page = project()
    del page.query_params["project"]

    assert list(shown(page.run())["project"]) == ["sweep"]


def test_a_project_that_is_not_there(project: Project) -> None:
    page = project(project="sw<b>eep")

    assert page.warning[0].value == r"There is no experiment in a project sw\<b\>eep."
    assert list(shown(page)["project"]) == ["sweep"]


def test_the_address_says_what_is_shown(project: Project) -> None:
    page = project(
        where="params.optimizer = 'adam'",
        sort="val_accuracy, lowest first",
        columns=["Name", "batch_size"],
    )

    assert names(page) == ["run-1000", "run-1003", "run-1006", "run-1009"]
    assert list(shown(page).columns) == ["experiment_id", "name", "params.batch_size"]
    assert "**4 of 12 experiments**" in [element.value for element in page.markdown]


def test_an_error_of_the_query_is_shown_where_it_stands(project: Project) -> None:
    page = project(where="params.learning_rat < 0.01")

    assert page.error[0].value == r"There is no hyperparameter 'params\.learning\_rat'\."
    assert page.code[-1].value.splitlines() == [
        "  params.learning_rat < 0.01",
        "  ^",
        "Did you mean params.learning_rate?",
    ]
    assert not page.dataframe

    page.text_input(key="where").set_value("params.learning_rate < 0.002").run()
    assert not page.error
    assert names(page) == ["run-1000"]


def test_a_query_that_finds_nothing(project: Project) -> None:
    page = project(where="status = 'failed'")

    assert page.info[0].value == "No experiment is as the query says."


def test_a_filter_is_added_to_the_query(project: Project) -> None:
    page = project(where="params.batch_size = 16 or params.batch_size = 32")

    page.selectbox(key="filter-by").set_value("params.optimizer").run()
    assert page.button(key="add-filter").disabled
    page.multiselect(key="choice-params.optimizer").set_value(["sgd", "rmsprop"]).run()
    page.button(key="add-filter").click().run()

    assert page.text_input(key="where").value == (
        "(params.batch_size = 16 or params.batch_size = 32)"
        " and params.optimizer in ('sgd', 'rmsprop')"
    )
    assert len(names(page)) == 8


@pytest.mark.parametrize(
    ("column", "key", "text", "condition"),
    [
        (
            "metrics.val_accuracy",
            "least-metrics.val_accuracy",
            "0.7",
            "metrics.val_accuracy >= 0.7",
        ),
        ("params.learning_rate", "most-params.learning_rate", "1", "params.learning_rate <= 1"),
        ("name", "text-name", "it's", "name ilike '%it''s%'"),
    ],
)
def test_filters_of_numbers_and_texts(
    project: Project, column: str, key: str, text: str, condition: str
) -> None:
    page = project()

    page.selectbox(key="filter-by").set_value(column).run()
    page.text_input(key=key).set_value(text).run()
    page.button(key="add-filter").click().run()

    assert page.text_input(key="where").value == condition
    assert not page.error


def test_a_filter_that_is_no_number(project: Project) -> None:
    page = project()

    page.selectbox(key="filter-by").set_value("duration_seconds").run()
    page.text_input(key="least-duration_seconds").set_value("long").run()

    assert page.button(key="add-filter").disabled
    assert "This is not a number." in [element.value for element in page.caption]


def test_columns_are_remembered_for_the_project(project: Project) -> None:
    page = project()

    page.multiselect(key="columns").set_value(["name", "seed"]).run()

    assert list(shown(page).columns) == ["experiment_id", "name", "seed"]
    assert page.session_state["columns of sweep"] == ["name", "seed"]


def test_groups_of_a_parameter(project: Project) -> None:
    page = project(group="optimizer", where="params.batch_size = 16")

    groups = shown(page)
    assert list(groups.columns) == ["value", "runs", "best", "mean", "std"]
    assert list(groups["value"]) == ["adam", "sgd", "rmsprop"]
    assert list(groups["runs"]) == [2, 2, 2]
    assert page.selectbox(key="group_metric").value == "val_accuracy"


def test_selected_experiments_can_be_compared(project: Project) -> None:
    page = project()
    assert page.button(key="compare").disabled
    assert page.button(key="open").disabled

    page.session_state["experiments"] = _selection(1, 3)
    page.run()

    assert page.button(key="compare").label == "Compare 2 experiments"
    assert not page.button(key="compare").disabled


def test_a_selection_stays_with_its_experiments(project: Project) -> None:
    page = project()
    page.session_state["experiments"] = _selection(0, 2)
    page.run()

    page.text_input(key="where").set_value("name != 'run-1010'").run()
    assert names(page)[:2] == ["run-1011", "run-1009"]
    assert page.session_state["experiments"]["selection"]["rows"] == [0, 1]

    page.text_input(key="where").set_value("name = 'run-1009'").run()
    assert page.session_state["experiments"]["selection"]["rows"] == [0]


def test_pages_of_a_long_table(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_table, "ROWS_PER_PAGE", 5)

    assert len(names(project())) == 5
    assert names(project(page="3")) == ["run-1001", "run-1000"]
    assert names(project(page="99")) == ["run-1001", "run-1000"]
    assert len(names(project(page="x"))) == 5


def test_another_query_begins_with_its_first_page(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_table, "ROWS_PER_PAGE", 5)
    page = project(page="2")

    page.text_input(key="where").set_value("seed < 8").run()

    assert names(page)[0] == "run-1007"
    assert "page" not in page.query_params


def test_what_runs_is_marked(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_sweep(store, count=1)
    with running_experiment(store) as run:
        page = page_test("project", store, monkeypatch, project="sweep").run()
        assert list(shown(page)["status"]) == ["▶ running", "✓ finished"]
        run.end_epoch()
        page.run()
        assert list(shown(page)["epochs"]) == ["2 of 10", "4"]
        assert "1 running" in page.caption[0].value

    page.run()
    assert list(shown(page)["status"]) == ["✓ finished"] * 2


def test_recorded_text_is_no_markup(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "![x](https://example.com/x.png) <b>"
    record_sweep(store, name, 1)

    page = page_test("project", store, monkeypatch, project=name).run()

    assert not page.exception
    assert page.title[0].value.startswith(r"\!\[x\]")
    assert not [text.value for text in page.markdown if "![x]" in text.value]


def _selection(*rows: int) -> dict[str, Any]:
    return {"selection": {"rows": list(rows), "columns": [], "cells": []}}
