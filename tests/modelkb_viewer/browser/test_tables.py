"""The dashboard and the table of a project: seen growing, searched, and led on from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from running_experiment import running_experiment
from sweep import record_sweep
from viewer_server import PHONE, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow
_SECONDS = 120_000
_HEAD, _ROW, _BOX = 35, 35, 16
_BUTTON = 40


def test_a_first_run_is_seen_and_watched(store: Path, page: Page) -> None:
    with viewer_server(store) as address:
        page.goto(address)
        page.get_by_role("heading", name="Record your first run").wait_for(timeout=_SECONDS)
        with running_experiment(store, "digits") as run:
            page.get_by_role("heading", name="Dashboard").wait_for(timeout=_SECONDS)
            _cell(page, "▶ running").wait_for(state="attached", timeout=_SECONDS)
            _cell(page, "1 of 10").wait_for(state="attached", timeout=_SECONDS)
            run.end_epoch()
            _cell(page, "2 of 10").wait_for(state="attached", timeout=_SECONDS)
        _cell(page, "✓ finished").wait_for(state="attached", timeout=_SECONDS)
        _click(page, "Recent experiments", row=0, x=_BUTTON)
        page.wait_for_url(f"**/experiment?id={run.experiment_id}", timeout=_SECONDS)
        page.goto("about:blank")  # it would ask the server for more


def test_from_a_project_to_a_comparison(store: Path, page: Page) -> None:
    ids = record_sweep(store, count=12)
    with viewer_server(store) as address:
        page.goto(address)
        _cell(page, "sweep").wait_for(state="attached", timeout=_SECONDS)
        _click(page, "Projects", row=0, x=_BUTTON)
        page.wait_for_url("**/project?project=sweep", timeout=_SECONDS)
        query = page.get_by_role("searchbox", name="Query")
        query.fill("params.optimizer = 'sgd'")
        query.press("Enter")
        page.get_by_text("4 of 12 experiments").wait_for(timeout=_SECONDS)
        assert _query(page)["where"] == ["params.optimizer = 'sgd'"]
        _click(page, "Experiments of sweep", row=0, x=_BOX)
        page.locator(".st-key-open button:enabled").wait_for(timeout=_SECONDS)
        _click(page, "Experiments of sweep", row=2, x=_BOX)
        page.get_by_role("button", name="Compare 2 experiments").click(timeout=_SECONDS)
        page.wait_for_url("**/compare?**", timeout=_SECONDS)
        assert _query(page)["id"] == [ids[10], ids[4]]
        page.get_by_role("heading", name="Compare").wait_for(timeout=_SECONDS)
        page.go_back()
        page.get_by_text("4 of 12 experiments").wait_for(timeout=_SECONDS)
        assert _query(page) == {"project": ["sweep"], "where": ["params.optimizer = 'sgd'"]}
        page.goto("about:blank")


def test_a_table_on_a_phone(store: Path, page: Page) -> None:
    record_sweep(store, count=3)
    page.set_viewport_size(PHONE)
    with viewer_server(store) as address:
        page.goto(f"{address}/project?project=sweep")
        _cell(page, "run-1000").wait_for(state="attached", timeout=_SECONDS)
        is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(is_wider)
        page.get_by_role("button", name="Add filter").click()
        page.get_by_text("Filter by").wait_for(timeout=_SECONDS)
        page.goto("about:blank")


def _cell(page: Page, text: str) -> Locator:
    # A table is a drawing; its cells stand beside it, for screen readers.
    return page.locator("canvas [role=gridcell]").filter(has_text=text).first


def _click(page: Page, table: str, *, row: int, x: int) -> None:
    """Click on a row of the drawing."""
    grid = page.get_by_test_id("stDataFrame").filter(has=page.get_by_label(table, exact=True))
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": x, "y": _HEAD + _ROW * row + _ROW / 2})


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)
