from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store.writer import ExperimentWriter
from page_test import page_test
from small_experiment import DATASET, record_complete_experiment, write_weights


def _page(writer: ExperimentWriter, monkeypatch: pytest.MonkeyPatch, **query: Any) -> AppTest:
    names = {"id": writer.experiment.experiment_id, "tab": "Test"}
    page = page_test("experiment", writer.home.files.root, monkeypatch, **names, **query).run()
    assert not page.exception
    return page


def _with_inputs(writer: ExperimentWriter, *inputs: dict[str, Any]) -> None:
    dataset = dataclasses.replace(DATASET, dataset_id="d9" * 16, inputs=json.dumps(inputs))
    writer.add_dataset(dataset)
    writer.set(dataset_id=dataset.dataset_id)
    writer.add_checkpoint("end", write_weights)
    writer.save_experiment()


def test_without_weights_it_says_why(
    store: Path, monkeypatch: pytest.MonkeyPatch, writer_factory: Any
) -> None:
    writer = writer_factory()
    writer.save_experiment()
    page = _page(writer, monkeypatch)
    assert "has kept no weights yet" in page.info[0].value
    writer.set(status="failed", problems=("it *failed*",))
    writer.save_experiment()
    page = _page(writer, monkeypatch)
    assert "were not kept" in page.info[0].value
    assert r"\*failed\*" in page.info[0].value


def test_a_form_has_a_field_for_each_value(
    monkeypatch: pytest.MonkeyPatch, writer_factory: Any
) -> None:
    writer = writer_factory()
    _with_inputs(
        writer,
        {"name": "age", "shape": [], "dtype": "int64", "min": 10, "max": 20},
        {"name": "**marks**", "shape": [3], "dtype": "float32", "min": 0.0, "max": 1.0},
    )
    page = _page(writer, monkeypatch)
    fields = [page.number_input(f"test-input-1-field-{place}") for place in range(3)]
    assert [field.value for field in fields] == [0.5, 0.5, 0.5]
    assert page.number_input("test-input-0-field-0").value == 15
    text = " ".join(each.value for each in page.markdown)
    assert r"\*\*marks\*\*" in text
    assert "given to the model: 1 x 3, float32" in text.replace("\\", "")
    assert not page.button("test-predict").disabled


def test_a_picture_is_waited_for(monkeypatch: pytest.MonkeyPatch, writer_factory: Any) -> None:
    writer = writer_factory()
    _with_inputs(writer, {"name": None, "shape": [8, 8, 1], "dtype": "float32"})
    page = _page(writer, monkeypatch)
    assert page.button("test-predict").disabled
    ways = page.button_group("test-input-0-way")
    assert list(ways.options) == ["Image", "CSV", "NumPy array"]


def test_what_cannot_be_used_is_said_in_its_place(
    monkeypatch: pytest.MonkeyPatch, writer_factory: Any
) -> None:
    writer = writer_factory()
    _with_inputs(writer, {"name": None, "shape": [64], "dtype": "float32"})
    page = _page(writer, monkeypatch)
    page.text_area("test-input-0-numbers").input("1, 2, many").run()
    assert "'many' is none" in page.error[0].value.replace("\\", "")
    assert page.button("test-predict").label == "Predict"


def test_checkpoints_and_others_are_in_the_address(
    store: Path, monkeypatch: pytest.MonkeyPatch, writer_factory: Any
) -> None:
    other = record_complete_experiment(store, number=77)
    writer = writer_factory()
    writer.add_checkpoint("epoch", write_weights, epoch=3)
    _with_inputs(writer, {"name": None, "shape": [2], "dtype": "float32"})
    other_id = other.experiment.experiment_id
    page = _page(writer, monkeypatch, checkpoint="Epoch 3", beside=other_id)
    assert page.selectbox("checkpoint").value == "epoch-3"
    assert page.multiselect("beside").value == [other_id]
    page.multiselect("beside").set_value([f"gone ({other_id[-10:]})"]).run()
    assert not page.error
    page.multiselect("beside").set_value(["nothing"]).run()
    assert "No experiment" in page.error[0].value


def test_nothing_is_known_of_the_inputs(
    monkeypatch: pytest.MonkeyPatch, writer_factory: Any
) -> None:
    writer = writer_factory()
    writer.add_checkpoint("end", write_weights)
    writer.save_experiment()
    page = _page(writer, monkeypatch)
    assert "shape of the inputs" in page.error[0].value
