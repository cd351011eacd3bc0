"""Signing in and out in a real browser, and what a token for reading shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelkb_store import Store
from modelkb_viewer.tokens import Scope, Tokens
from small_experiment import record_complete_experiment
from viewer_server import DESKTOP, PHONE, listen, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
_MILLISECONDS = 120_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one experiment, and a token that nobody uses."""
    folder = tmp_path_factory.mktemp("signed") / "modelkb"
    record_complete_experiment(folder)
    Tokens(Store(folder).files).create("another", Scope.ADMIN)
    return folder


@pytest.fixture(scope="module")
def viewer(store: Path) -> Iterator[str]:
    """The address of a viewer that may run what is recorded."""
    with viewer_server(store, "--run-recorded-code") as address:
        yield address


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    """A fresh page, that may complain of nothing but being signed out."""
    context = chromium_browser.new_context(viewport=DESKTOP)
    opened = context.new_page()
    opened.set_default_timeout(_MILLISECONDS)
    found = listen(opened)
    yield opened
    context.close()
    assert [each for each in found.errors if "status of 401" not in each] == []
    assert found.foreign == []


@pytest.fixture(scope="module")
def experiment(store: Path) -> str:
    """The address of the experiment, from the root of the viewer."""
    return f"experiment?id={Store(store).experiments()['experiment_id'][0]}"


def sign_in(page: Page, text: str) -> None:
    """Give a token by the keyboard alone."""
    page.get_by_label("Token").wait_for()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_from_a_link_to_its_page_and_out_again(
    page: Page, viewer: str, store: Path, experiment: str
) -> None:
    _, text = Tokens(Store(store).files).create("ada", Scope.WRITE)
    page.goto(f"{viewer}/{experiment}")
    sign_in(page, text)

    page.get_by_role("button", name="Save notes").wait_for()
    assert page.url == f"{viewer}/{experiment}"
    [cookie] = [each for each in page.context.cookies() if each["name"].startswith("modelkb")]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert cookie["path"] == "/"

    page.get_by_role("link", name="Sign out").click()
    page.wait_for_url(f"{viewer}/sign-in")
    page.goto(f"{viewer}/{experiment}")
    page.get_by_role("heading", name="Sign in to ModelKB").wait_for()


def test_a_token_for_reading_shows_without_editing(
    page: Page, viewer: str, store: Path, experiment: str
) -> None:
    token, text = Tokens(Store(store).files).create("bob", Scope.READ)
    page.goto(f"{viewer}/{experiment}")
    sign_in(page, text)

    page.get_by_text("Changing tags and notes takes a token with the scope write").wait_for()
    page.get_by_role("heading", name="Metrics").wait_for()
    assert page.get_by_label("Notes").is_disabled()
    assert page.get_by_role("button", name="Save notes").count() == 0
    page.get_by_role("tab", name="Code").click()
    page.get_by_text("Running a training again takes a token with the scope write").wait_for()
    assert page.get_by_role("button", name="Reproduce", exact=True).count() == 0
    other = page.context.new_page()
    other.goto(viewer)
    other.get_by_role("heading", name="Dashboard").wait_for(timeout=_MILLISECONDS)

    Tokens(Store(store).files).revoke(token.token_id)
    page.get_by_role("tab", name="Architecture").click()

    page.wait_for_url(f"{viewer}/sign-in")
    # This one looks by itself for what is new.
    other.wait_for_url(f"{viewer}/sign-in", timeout=_MILLISECONDS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wrong_token_on_a_phone(chromium_browser: Browser, viewer: str, scheme: str) -> None:
    context = chromium_browser.new_context(
        viewport=PHONE, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    found = listen(page)
    page.goto(f"{viewer}/project?project=digits")
    sign_in(page, "mkb_mistyped")

    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == "This token is not valid. It may be mistyped, or revoked."
    assert "next=project" in page.url
    token = page.get_by_label("Token")
    assert token.get_attribute("aria-describedby") == alert.get_attribute("id")
    for each in (alert, token, page.get_by_role("button")):
        box = each.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    # The one thing that a browser says is the status of the answer.
    assert all("403" in each for each in found.errors)
    assert found.foreign == []
    context.close()


def test_the_documentation_of_the_api(page: Page, viewer: str) -> None:
    page.goto(f"{viewer}/api/v1/docs")

    page.get_by_role("button", name="Authorize").wait_for()
    page.get_by_text("/health").first.wait_for()
