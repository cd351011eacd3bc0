from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store import Store
from modelkb_store.audit_log import read_audit
from modelkb_store.editing import edit_experiment
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.api.audit import opened_audit
from modelkb_viewer.damaged_files import DAMAGED_FILES
from page_test import page_test
from small_experiment import STARTED, experiment_record, record_complete_experiment

Shown = Callable[..., AppTest]
MARKUP = "**bold** <b>x</b> [link](http://a.example) ![p](http://a.example/p.png)"


@pytest.fixture
def run(store: Path) -> str:
    """An experiment with a row in every table."""
    return record_complete_experiment(store).experiment.experiment_id


@pytest.fixture
def shown(store: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The page of an experiment, run."""

    def show(experiment_id: str | None = None, **query: str) -> AppTest:
        if experiment_id is not None:
            query["id"] = experiment_id
        page = page_test("experiment", store, monkeypatch, **query).run()
        assert not page.exception
        return page

    return show


def texts(page: AppTest) -> str:
    return "\n".join(str(element.value) for element in page.markdown)


def test_head_and_tab_say_what_is_recorded(shown: Shown, run: str) -> None:
    page = shown(run)
    assert not page.error
    assert page.title[0].value == r"run\-1"
    assert run in [code.value for code in page.code]
    assert [each.value for each in page.subheader] == [
        "Metrics",
        "Evaluation",
        "Learning rate and resources",
        "Data",
        "All that is recorded",
    ]
    assert "**accuracy**" in texts(page)
    labels = [each.label for each in page.expander]
    for entity in ("Model", "Environment", "Packages", "Artifacts", "Checkpoints"):
        assert any(label.startswith(entity) for label in labels), entity
    assert "Epoch 1/3" in [code.value for code in page.code]


@pytest.mark.parametrize("shortened", ["0000000001", "20260102", "run-1"])
def test_an_id_may_be_shortened(shown: Shown, run: str, shortened: str) -> None:
    page = shown(shortened)
    assert run in [code.value for code in page.code]


def test_without_a_known_id_experiments_are_offered(shown: Shown, run: str) -> None:
    assert run
    page = shown()
    assert page.title[0].value == "Experiment"
    assert page.dataframe[0].value["name"].tolist() == ["run-1"]
    assert "No experiment" in shown("nothing").warning[0].value


def test_an_id_that_fits_several_is_said_so(shown: Shown, store: Path, run: str) -> None:
    assert run
    record_complete_experiment(store, number=2)
    page = shown("20260102")
    assert "fits 2 experiments" in page.warning[0].value
    assert len(page.dataframe[0].value) == 2


def test_a_search_shows_only_what_it_finds(shown: Shown, run: str) -> None:
    page = shown(run, search="numpy")
    assert [each.value for each in page.subheader] == [r"Packages (1)"]
    assert page.dataframe[0].value.values.tolist() == [["numpy", "2.4.6"]]
    page = shown(run, search="accuracy")
    assert "Metrics" in [each.value for each in page.subheader]
    assert "no such word" in shown(run, search="no such word").text_input[0].value
    assert shown(run, search="no such word").info[0].value.startswith("Nothing")


def test_tags_are_kept_at_once(shown: Shown, store: Path, run: str) -> None:
    page = shown(run)
    page.multiselect(key=f"tags-{run}-0").set_value([]).run()
    edit_experiment(LocalFiles(store), run, tags=["theirs"])
    page = shown(run)
    assert page.multiselect(key=f"tags-{run}-0").value == ["theirs"]
    page.multiselect(key=f"tags-{run}-0").set_value([]).run()
    assert Store(store).experiment(run).record.tags == ()


def test_notes_are_saved_beside_what_others_write(shown: Shown, store: Path, run: str) -> None:
    page = shown(run)
    edit_experiment(LocalFiles(store), run, notes="from the run", tags=["theirs"])
    page.text_area(key=f"notes-{run}-0").set_value("mine")
    save(page).click().run()
    record = Store(store).experiment(run).record
    assert (record.notes, record.tags) == ("mine\nfrom the run", ("theirs",))
    assert page.text_area(key=f"notes-{run}-1").value == "mine\nfrom the run"
    opened_audit().flush()
    [noted] = read_audit(LocalFiles(store), project=Store(store).experiment(run).project)
    assert (noted.token_id, noted.route) == (None, "/experiments/{experiment_id}")
    assert noted.parameters["experiment_id"] == run


def test_notes_that_others_have_written_anew_are_shown_first(
    shown: Shown, store: Path, run: str
) -> None:
    edit_experiment(LocalFiles(store), run, notes="first")
    page = shown(run)
    edit_experiment(LocalFiles(store), run, notes="theirs")
    page.text_area(key=f"notes-{run}-0").set_value("mine")
    save(page).click().run()
    assert "They say now" in page.error[0].value
    assert Store(store).experiment(run).record.notes == "theirs"
    save(page).click().run()
    assert Store(store).experiment(run).record.notes == "mine"


def test_what_cannot_be_kept_is_said(
    shown: Shown, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelkb_store.editing.LONGEST_NOTES", 3)
    page = shown(run)
    page.text_area(key=f"notes-{run}-0").set_value("too long")
    save(page).click().run()
    assert "no more than 3 characters" in page.error[0].value.replace("\\", "")


def test_problems_are_a_warning(shown: Shown, store: Path) -> None:
    writer = record_complete_experiment(store, number=3, problems=(MARKUP, "disk full"))
    warning = shown(writer.experiment.experiment_id).warning[0].value
    assert "disk full" in warning
    assert "<b>" not in warning.replace("\\<", "")


def test_recorded_texts_are_no_markup(shown: Shown, store: Path) -> None:
    fields: dict[str, Any] = {"name": MARKUP, "notes": MARKUP, "tags": (MARKUP,), "owner": MARKUP}
    parent = record_complete_experiment(store, number=4, **fields).experiment.experiment_id
    writer = record_complete_experiment(store, number=5, parent_experiment_id=parent)
    for run in (parent, writer.experiment.experiment_id):
        page = shown(run)
        every = [page.title, page.markdown, page.caption, page.subheader, page.warning]
        for element in (each for kind in every for each in kind):
            bare = str(element.value).replace("\\\\", "")
            assert not any(mark in bare.replace(f"\\{mark}", "") for mark in ("<b", "![", "](")), (
                element.value
            )


def test_a_damaged_table_takes_nothing_else_with_it(shown: Shown, store: Path, run: str) -> None:
    for file in (store / "evaluations").rglob("*.parquet"):
        file.write_bytes(b"PAR1 damaged")
    page = shown(run)
    assert not page.error
    assert any("evaluations" in text for text in DAMAGED_FILES.met_lately())
    assert "Data" in [each.value for each in page.subheader]
    assert "**accuracy**" in texts(page)


def test_a_run_that_has_just_begun(
    shown: Shown, writer_factory: Callable[..., ExperimentWriter]
) -> None:
    writer = writer_factory(epochs_planned=4)
    page = shown(writer.experiment.experiment_id)
    assert not page.error
    assert "Running for" in texts(page)


def test_a_hundred_classes(shown: Shown, store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(9))
    run = writer.experiment.experiment_id
    counts = tuple(tuple(int(row == column) * 9 for column in range(100)) for row in range(100))
    writer.add_evaluations(
        [
            EvaluationRecord(
                experiment_id=run,
                split="validation",
                output="output",
                task="classification",
                source="validation_pass",
                sample_count=900,
                sampled=False,
                created_at=STARTED,
                confusion_matrix=counts,
                recall=(1.0,) * 100,
                accuracy=1.0,
            )
        ]
    )
    writer.close()
    page = shown(run)
    assert not page.error
    assert any(len(frame.value) == 100 for frame in page.dataframe)


def save(page: AppTest) -> Any:
    """The button that saves the notes."""
    return next(button for button in page.button if button.label == "Save notes")
