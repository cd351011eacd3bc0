from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_viewer.damaged_files import DAMAGED_FILES
from page_test import page_test
from running_experiment import running_experiment
from sweep import record_run, record_sweep


@pytest.mark.parametrize("is_empty", [False, True], ids=["no store", "an empty store"])
def test_a_new_user_sees_how_to_record(
    store: Path, monkeypatch: pytest.MonkeyPatch, *, is_empty: bool
) -> None:
    if is_empty:
        create_store(LocalFiles(store))

    page = page_test("dashboard", store, monkeypatch).run()

    assert not page.exception
    assert page.title[0].value == "Record your first run"
    code = page.code[0].value
    assert f"ModelKB(project=\"my-project\", store='{store}')" in code
    compile(code, "first run", "exec")
    assert str(store) in page.code[1].value


def test_the_page_turns_into_the_dashboard(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_test("dashboard", store, monkeypatch).run()
    record_run(store, "sweep", 1)

    page.run()

    assert page.title[0].value == "Dashboard"


def test_projects_and_recent_experiments(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        record_run(store, "digits" if number < 2 else "letters", number)

    page = page_test("dashboard", store, monkeypatch).run()

    assert not page.exception
    projects, recent = (element.value for element in page.dataframe)
    assert set(projects["project"]) == {"digits", "letters"}
    assert "running" not in projects
    assert len(recent) == 5


def test_the_address_has_the_search(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_run(store, "digits", 1)
    record_run(store, "letters", 2)

    page = page_test("dashboard", store, monkeypatch, search="letters").run()
    projects, recent = (element.value for element in page.dataframe)
    assert list(projects["project"]) == list(recent["project"]) == ["letters"]

    page.text_input(key="search").set_value("no such words").run()
    assert not page.dataframe
    assert len(page.caption) == 2


def test_what_runs_is_marked(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_sweep(store, count=1)
    with running_experiment(store):
        page = page_test("dashboard", store, monkeypatch).run()

    projects, recent = (element.value for element in page.dataframe)
    assert list(projects["running"]) == [1]
    assert list(recent["status"]) == ["▶ running", "✓ finished"]
    assert list(recent["epochs"]) == ["1 of 10", "4"]


def test_a_damaged_table_does_not_take_the_page_with_it(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_sweep(store, count=2)
    for path in (store / "metric_summaries").rglob("*.parquet"):
        path.write_bytes(b"PAR1 no more")

    page = page_test("dashboard", store, monkeypatch).run()

    assert not page.exception
    assert not page.error
    assert page.title[0].value == "Dashboard"
    assert len(page.dataframe[-1].value) == 2
    assert any("metric_summaries" in text for text in DAMAGED_FILES.met_lately())


def test_what_is_shown_can_be_opened_by_typing(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = record_sweep(store, count=1)

    page = page_test("dashboard", store, monkeypatch).run()

    assert page.selectbox(key="project-to-open").options == ["sweep"]
    assert page.selectbox(key="experiment-to-open").options == ["run-1000 of sweep"]
    page.selectbox(key="experiment-to-open").set_value(run).run()
    assert not page.exception
    assert page.query_params["id"] == run
