"""A model that Netron draws, in a real browser: no request leaves, and a click tells a layer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelkb_store import Store
from viewer_server import viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Locator, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def viewer(seeded_store: Path) -> Iterator[str]:
    """The address of a viewer of a store with one run."""
    with viewer_server(seeded_store) as address:
        yield address


@pytest.fixture(scope="module")
def tab(seeded_store: Path) -> str:
    """The address of the run's tab, from the root of the viewer."""
    return f"experiment?id={Store(seeded_store).experiment('original').id}&tab=Architecture"


def drawing(page: Page) -> FrameLocator:
    """The frame with the drawing, once it is drawn."""
    frame = page.frame_locator("iframe[title^='The layers of']")
    node(frame, "base").wait_for()
    return frame


def node(frame: FrameLocator, label: str) -> Locator:
    """A node of the drawing, by what is written in it."""
    return frame.locator("svg text").filter(has_text=re.compile(f"^{label}$"))


def test_from_the_dashboard_to_the_configuration_of_a_layer(page: Page, viewer: str) -> None:
    page.goto(viewer)
    page.get_by_text("Recent experiments").wait_for()
    table = page.get_by_test_id("stDataFrame").last
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 60, "y": 54})  # the name in the first row
    page.get_by_role("tab", name="Architecture").click()

    frame = drawing(page)
    node(frame, "Dense").click()

    properties = frame.locator(".sidebar")
    properties.get_by_text("Node Properties").wait_for()
    shown = properties.inner_text()
    names = properties.locator(".sidebar-item-name input")
    settings = [each.input_value() for each in names.all()]
    assert {"name", "units", "activation", "use_bias"} <= set(settings)
    assert "answer" in shown
    assert "GlorotUniform" in shown
    assert not frame.locator(".message-text").is_visible()
    assert "tab=Architecture" in page.url


def test_the_menu_of_netron_leads_nowhere(page: Page, viewer: str, tab: str) -> None:
    page.goto(f"{viewer}/{tab}")
    drawing(page)
    page.goto(f"{viewer}{page.locator('iframe').get_attribute('src')}")
    page.locator("svg text").first.wait_for()

    for entry in ("Report Issue", "About"):
        page.locator("#menu-button").click()
        page.get_by_role("button", name=entry).click()
    page.locator("#logo-github").click()

    assert page.url.startswith(f"{viewer}/netron/")
    assert len(page.context.pages) == 1


def test_netron_does_not_go_by_the_clock(page: Page, viewer: str, tab: str) -> None:
    page.clock.install(time=datetime(2040, 1, 1))
    page.goto(f"{viewer}/{tab}")

    frame = drawing(page)

    assert not frame.get_by_text("Please update").is_visible()


def test_a_layer_is_read_at_an_address_of_its_own(page: Page, viewer: str, tab: str) -> None:
    page.goto(f"{viewer}/{tab}")
    drawing(page)
    assert page.evaluate("document.activeElement.tagName") != "IFRAME"
    chosen = page.get_by_role("combobox", name="Layer")
    chosen.fill("base/dense")
    chosen.press("Enter")
    page.get_by_text("Inputs: input", exact=False).wait_for()
    assert "layer=base%2Fdense" in page.url

    page.reload()

    page.get_by_text("Inputs: input", exact=False).wait_for()
    page.get_by_test_id("stJson").get_by_text("GlorotUniform").first.wait_for()


def test_it_works_below_a_base_path(
    page: Page, seeded_store: Path, tmp_path: Path, tab: str
) -> None:
    settings = tmp_path / ".streamlit/config.toml"
    settings.parent.mkdir()
    settings.write_text('[server]\nbaseUrlPath = "/lab/kb"\n')
    store = shutil.copytree(seeded_store, tmp_path / "modelkb")

    with viewer_server(store, base="/lab/kb") as address:
        page.goto(f"{address}/{tab}")
        drawing(page)
