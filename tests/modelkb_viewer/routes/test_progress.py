from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from asgi_answer import answer_of
from modelkb_store import Experiment, Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.content.experiment_progress import experiment_progress
from modelkb_viewer.routes.progress import progress_address, progress_route

APP = Starlette(routes=[progress_route()])


@pytest.fixture
def address(recorded_experiment: Experiment, store: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of an experiment of the store that is shown."""
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    return f"/{progress_address(recorded_experiment.id)}"


def test_the_progress_is_answered_and_not_kept(
    address: str, recorded_experiment: Experiment, store: Path
) -> None:
    answer = answer_of(APP, address)

    assert answer.status == 200
    assert answer.text == experiment_progress(Store(store), recorded_experiment.id)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("text/plain")


def test_it_is_there_below_a_base_path_and_only_read(address: str) -> None:
    assert answer_of(APP, f"/lab{address}").status == 200
    assert answer_of(APP, address, "POST").status == 405


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize(
    "name", ["20260101-000000-ffffffff", "..", "../" * 8 + "etc/passwd", "a" * 101, "a b", "\0"]
)
def test_other_names_are_not_found(name: str) -> None:
    assert answer_of(APP, f"/progress/{name}").status == 404


def test_a_store_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "ftp://lab/modelkb")

    answer = answer_of(APP, "/progress/20260101-000000-ffffffff")

    assert answer.status == 503
    assert "ftp://lab/modelkb" in answer.text
