from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from sweep import record_sweep
from viewer_server import PHONE, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
_SECONDS = 120_000


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_two_runs_are_compared(store: Path, page: Page) -> None:
    first, second, _ = record_sweep(store, count=3)
    with viewer_server(store) as address:
        page.goto(f"{address}/compare?id={first}")
        picker = page.get_by_role("combobox", name="Experiments")
        picker.wait_for(timeout=_SECONDS)
        picker.fill("run-1001")
        picker.press("Enter")
        picker.press("Escape")
        page.get_by_role("tab", name="Hyperparameters").click()
        page.get_by_text("Only differences").click()
        page.get_by_text("3 of 3 rows differ.").wait_for(timeout=_SECONDS)
        assert _query(page)["id"] == [first, second]
        page.get_by_role("tab", name="Curves").click()
        name = "Curves of val_accuracy of 2 experiments"
        page.get_by_label(name, exact=True).wait_for(timeout=_SECONDS)
        # The address alone shows the same again.
        page.goto(page.url)
        page.get_by_label(name, exact=True).wait_for(timeout=_SECONDS)
        page.get_by_role("tab", name="Script").click()
        page.get_by_text("SEED = 1").first.wait_for(timeout=_SECONDS)


def test_the_charts_of_a_project_on_a_phone(store: Path, page: Page) -> None:
    record_sweep(store, count=12)
    page.set_viewport_size(PHONE)
    with viewer_server(store) as address:
        page.goto(f"{address}/project?project=sweep")
        name = "Curves of val_accuracy of 12 experiments"
        page.get_by_label(name, exact=True).wait_for(timeout=_SECONDS)
        page.get_by_role("slider", name="Smoothing").press("ArrowRight")
        page.wait_for_function("location.search.includes('smoothing=0.01')", timeout=_SECONDS)
        page.get_by_role("tab", name="Importance").click()
        importance = "Importance of hyperparameters for val_accuracy"
        page.get_by_label(importance, exact=True).wait_for(timeout=_SECONDS)
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(is_wider)
        assert _query(page)["chart"] == ["Importance"]
