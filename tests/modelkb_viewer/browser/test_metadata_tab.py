from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from modelkb_store import Store
from running_experiment import running_experiment
from small_experiment import record_complete_experiment
from viewer_server import PHONE, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
_SECONDS = 60_000


def test_a_run_is_followed_and_what_is_typed_meanwhile_stays(store: Path, page: Page) -> None:
    with viewer_server(store) as address:
        with running_experiment(store) as run:
            page.goto(f"{address}/experiment?id={run.experiment_id}")
            page.get_by_text("Epochs: 1 of 10").wait_for(timeout=_SECONDS)
            page.get_by_label("accuracy over epoch", exact=True).wait_for(timeout=_SECONDS)
            notes = page.get_by_label("Notes")
            notes.fill("typed while it runs")
            run.end_epoch()
            page.get_by_text("Epochs: 2 of 10").wait_for(timeout=_SECONDS)
            # The run writes its row again: its tag and the notes are both kept.
            run.writer.set(tags=("from the run",))
            run.end_epoch()
            page.get_by_text("Epochs: 3 of 10").wait_for(timeout=_SECONDS)
        page.get_by_text("✓ finished").wait_for(timeout=_SECONDS)
        assert notes.input_value() == "typed while it runs"
        page.get_by_role("button", name="Save notes").click()
        _wait_until(store, run.experiment_id, "typed while it runs")
        page.get_by_text("from the run").first.wait_for(timeout=_SECONDS)
    assert Store(store).experiment(run.experiment_id).record.tags == ("from the run",)


def test_a_run_that_comes_no_further_is_asked_for_and_not_drawn(store: Path, page: Page) -> None:
    """To draw it again and again would slow the very training that is looked at."""
    sent: list[bytes] = []

    def note(frame: str | bytes) -> None:
        if isinstance(frame, bytes):  # the others keep the connection open
            sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    with viewer_server(store) as address, running_experiment(store) as run:
        page.goto(f"{address}/experiment?id={run.experiment_id}")
        page.get_by_label("accuracy over epoch", exact=True).wait_for(timeout=_SECONDS)
        asked = f"**/progress/{run.experiment_id}"
        before, began = len(sent), time.monotonic()
        for _ in range(6):
            with page.expect_response(asked, timeout=_SECONDS):
                pass
        # Every ten seconds the head is, and every twenty the resources are.
        most = 2 * (1 + (time.monotonic() - began) // 10)
        assert len(sent) - before <= most
        sent.clear()
        run.end_epoch()
        page.get_by_text("Epochs: 2 of 10").wait_for(timeout=_SECONDS)
        # Of a part of the page: such a request waits while the whole page is being drawn.
        assert sent
        assert all(BackMsg.FromString(frame).rerun_script.fragment_id for frame in sent)
        run.end_epoch()
        page.get_by_role("link", name="Dashboard").click()
        page.get_by_role("heading", name="Recent experiments").wait_for(timeout=_SECONDS)
        page.get_by_text("3 of 10").first.wait_for(timeout=_SECONDS, state="attached")
        assert page.get_by_test_id("stException").count() == 0


def test_everything_is_searched_on_a_phone(store: Path, page: Page) -> None:
    run = record_complete_experiment(store).experiment.experiment_id
    page.set_viewport_size(PHONE)
    with viewer_server(store) as address:
        page.goto(f"{address}/experiment?id={run}")
        matrix = "Confusion matrix of validation, output kind, 2 classes"
        page.get_by_label(matrix, exact=True).wait_for(timeout=_SECONDS)
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(is_wider)
        page.get_by_label("Search everything that is recorded").fill("numpy")
        page.get_by_text("Packages (1)").wait_for(timeout=_SECONDS)
        assert "search=numpy" in page.url


def _wait_until(store: Path, run: str, notes: str) -> None:
    until = time.monotonic() + _SECONDS / 1000
    while Store(store).experiment(run).record.notes != notes:
        assert time.monotonic() < until
        time.sleep(0.1)
