"""A real browser that looks at a real server; skipped where there is no browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from viewer_server import DESKTOP, Complaints, browser, chromium, listen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


# Not for a session: Playwright keeps an event loop running, in which no other can be.
@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """A headless Chromium for all tests of a module."""
    if chromium() is None:
        pytest.skip("no Chromium is installed")
    with browser() as started:
        yield started


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    """A fresh page of 1400 x 900; the test fails if it complains or calls out."""
    context = chromium_browser.new_context(viewport=DESKTOP, accept_downloads=True)
    opened = context.new_page()
    found: Complaints = listen(opened)
    yield opened
    context.close()
    assert found == Complaints()
