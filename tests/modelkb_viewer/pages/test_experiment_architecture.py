from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store.layout import architecture_file
from modelkb_store.writer import ExperimentWriter
from page_test import page_test
from small_experiment import ARCHITECTURE, LAYER, MODEL, experiment_record

Shown = Callable[..., AppTest]
MARKUP = "**bold** [link](http://a.example)"


@pytest.fixture
def shown(store: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Records a model with changes, and runs the tab of its experiment."""

    def show(
        config: dict[str, Any] | None = ARCHITECTURE.model_config,
        damage: Callable[[Path], object] = lambda _: None,
        compile_config: str | None = MODEL.compile_config,
        **query: str,
    ) -> AppTest:
        layers = [LAYER, replace(LAYER, position=1, path="base/last", inbound=(MARKUP,))]
        writer = ExperimentWriter(store, "digits", experiment_record())
        writer.add_architecture(replace(ARCHITECTURE, model_config=config), layers)
        writer.add_model(replace(MODEL, compile_config=compile_config))
        entities = {"architecture_id": MODEL.architecture_id, "model_id": MODEL.model_id}
        writer.set(status="finished", **entities)
        writer.save_experiment()
        writer.close()
        damage(store / architecture_file(ARCHITECTURE.architecture_id))
        run = writer.experiment.experiment_id
        page = page_test(
            "experiment", store, monkeypatch, id=run, tab="Architecture", **query
        ).run()
        assert not page.exception
        return page

    return show


def frames(page: AppTest) -> list[str]:
    return [frame.proto.src for frame in page.get("iframe")]


def test_the_model_is_drawn_and_read(shown: Shown) -> None:
    page = shown()

    (frame,) = frames(page)
    assert frame.startswith("/netron/?url=..%2Farchitectures%2F")
    assert frame.endswith("&identifier=digits.h5")
    table = page.dataframe(key="layer-table").value
    assert table["Layer"].tolist() == ["dense", "base/last"]
    assert {each.label: each.value for each in page.metric}["Parameters"] == "12,345"
    assert page.dataframe[-1].value.to_numpy().tolist() == [["Loss", "mse"]]
    assert not page.error


def test_a_chosen_layer_shows_its_configuration(shown: Shown) -> None:
    page = shown()
    page.selectbox(key="layer").set_value("base/last").run()

    assert '"units"' in page.json[0].value
    (facts,) = (each.value for each in page.markdown if "Inputs: " in each.value)
    assert r"Inputs: \*\*bold\*\* \[link\]" in facts


def test_an_address_names_a_layer(shown: Shown) -> None:
    page = shown(layer="base/last")

    assert page.selectbox(key="layer").value == "base/last"
    assert page.json


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.write_bytes(b"no HDF5"), "is damaged"),
    ],
)
def test_without_its_file_the_layers_are_still_there(
    shown: Shown, damage: Callable[[Path], object], reason: str
) -> None:
    page = shown(damage=damage)

    (error,) = page.error
    assert "The drawing of the model cannot be shown" in error.value
    assert reason in error.value
    assert frames(page) == []
    assert len(page.dataframe(key="layer-table").value) == 2


def test_what_keras_could_not_serialize_is_not_drawn(shown: Shown) -> None:
    page = shown(config=None)

    assert frames(page) == []
    assert "could not serialize" in page.info[0].value
    assert len(page.dataframe(key="layer-table").value) == 2


def test_what_was_not_compiled_is_said(shown: Shown) -> None:
    page = shown(compile_config=None)

    assert [each.value for each in page.info] == ["How the model was compiled was not recorded."]


def test_a_run_that_builds_its_model_says_so(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record())
    writer.save_experiment()
    writer.close()
    run = writer.experiment.experiment_id

    page = page_test("experiment", store, monkeypatch, id=run, tab="Architecture").run()

    assert not page.exception
    assert "has no architecture" in page.error[0].value
    assert "No layers were recorded." in [each.value for each in page.info]
