from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer import addresses
from modelkb_viewer.pages import curves
from sweep import record_run, record_sweep

_SCRIPT = """
import streamlit as st
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages import project_charts

project_charts.show(opened_store(), "sweep", {ids!r})
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A store with a sweep of 12 runs, and their ids, newest first."""
    root = tmp_path_factory.mktemp("sweep") / "modelkb"
    return root, record_sweep(root, count=12)[::-1]


@pytest.fixture
def sweep(recorded: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the sweep, in the store that is shown."""
    monkeypatch.setenv(STORE_VARIABLE, str(recorded[0]))
    return recorded[1]


def charts_of(ids: list[str], **query: Any) -> AppTest:
    app = AppTest.from_string(_SCRIPT.format(ids=ids), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def fine(page: AppTest) -> AppTest:
    """Return the page, which says no error."""
    assert not page.exception
    assert [each.value for each in page.error] == []
    return page


def test_curves_come_first_and_change_with_what_is_chosen(sweep: list[str]) -> None:
    page = fine(charts_of(sweep))
    assert page.selectbox(addresses.METRIC).value == "val_accuracy"
    page.slider(addresses.SMOOTHING).set_value(0.6)
    page.toggle(addresses.LOG).set_value(True)
    page.toggle(addresses.BOTH_SPLITS).set_value(True)
    page.selectbox(addresses.X).set_value("time")
    page.selectbox(addresses.COLOUR_BY).set_value("optimizer")
    fine(page.run())
    assert page.get("vega_lite_chart")


@pytest.mark.parametrize(
    "chart", ["Importance", "Metric against hyperparameter", "Parallel coordinates"]
)
def test_the_address_names_the_chart(sweep: list[str], chart: str) -> None:
    page = fine(charts_of(sweep, chart=chart))
    assert len(page.get("vega_lite_chart")) == 1


def test_what_works_best_is_said_in_a_sentence(sweep: list[str]) -> None:
    page = fine(charts_of(sweep, chart="What works best here"))
    assert any("12 runs" in each.value or "val" in each.value for each in page.markdown)
    (table,) = page.dataframe
    assert set(table.value["hyperparameter"]) == {"batch_size", "learning_rate", "optimizer"}
    page.selectbox(addresses.METRIC).set_value("loss")
    fine(page.run())


def test_a_category_is_drawn_as_strips(sweep: list[str]) -> None:
    query = {"hyperparameter": "optimizer", "colour": "learning_rate"}
    page = fine(charts_of(sweep, chart="Metric against hyperparameter", **query))
    assert page.selectbox(addresses.HYPERPARAMETER).value == "optimizer"
    assert len(page.get("vega_lite_chart")) == 1


def test_few_runs_have_no_importance(sweep: list[str]) -> None:
    page = fine(charts_of(sweep[:4], chart="Importance"))
    assert "at least 10" in page.info[0].value


def test_runs_that_are_all_the_same_have_nothing_to_compare(sweep: list[str]) -> None:
    page = fine(charts_of(sweep[:1], chart="What works best here"))
    assert "No hyperparameter differs" in page.info[0].value


def test_nothing_is_selected(sweep: list[str]) -> None:
    assert "nothing to draw" in fine(charts_of([])).info[0].value


def test_recorded_text_is_no_markup(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    name = "![x](http://example.com/x.png) $a$ **b**"
    ids = [record_run(store, "sweep", number, name=name) for number in range(3)]
    page = fine(charts_of(ids, chart="What works best here"))
    assert not any("![x]" in each.value for each in page.markdown)


def test_many_runs_are_drawn_in_part(sweep: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "_MOST_DRAWN", 5)
    page = fine(charts_of(sweep))
    assert any("first 5 of 12" in each.value for each in page.caption)
