"""The code of an experiment in a real browser: read, downloaded, and run again."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelkb_store import Store
from viewer_server import viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

_MILLISECONDS = 120_000


@pytest.fixture(scope="module")
def store(seeded_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run, to be written into."""
    folder = tmp_path_factory.mktemp("code")
    return Path(shutil.copytree(seeded_store, folder / "modelkb"))


@pytest.fixture(scope="module")
def viewer(store: Path) -> Iterator[str]:
    """The address of a viewer that may run what is recorded."""
    with viewer_server(store, "--run-recorded-code") as address:
        yield address


@pytest.fixture(scope="module")
def tab(store: Path) -> str:
    """The address of the run's tab, from the root of the viewer."""
    return f"experiment?id={Store(store).experiment('original').id}&tab=Code"


def downloaded(page: Page, button: str) -> Path:
    """Click on a button, and return the file that it gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path())


def test_code_is_downloaded(page: Page, viewer: str, tab: str, store: Path) -> None:
    page.goto(f"{viewer}/{tab}")
    page.get_by_text("model.fit").first.wait_for()

    script = downloaded(page, "Script").read_text()
    assert "epochs=3" in script or "EPOCHS = 3" in script
    assert '"nbformat": 4' in downloaded(page, "Notebook").read_text()
    with zipfile.ZipFile(downloaded(page, "Repository")) as archive:
        assert any(name.endswith("/Dockerfile") for name in archive.namelist())

    page.get_by_role("radio", name="PyTorch model").click()
    page.get_by_text("nn.Module").first.wait_for()
    assert "code=PyTorch" in page.url
    assert "import torch" in downloaded(page, "Module").read_text()


def test_a_run_is_done_again_with_live_progress(page: Page, viewer: str, tab: str) -> None:
    page.set_default_timeout(_MILLISECONDS)
    page.goto(f"{viewer}/{tab}")
    page.get_by_role("button", name="Reproduce", exact=True).click()
    page.get_by_role("button", name="Run it").click()
    page.get_by_role("button", name="Stop").wait_for()
    # It goes on, whoever looks.
    page.reload()

    page.get_by_text("Identical: every value is the same").wait_for()

    page.get_by_text("12 values, all equal to the bit").wait_for()
    page.get_by_role("button", name="The new experiment").click()
    # The page stays the same one, so that there is no navigation to wait for.
    page.wait_for_function(
        "tab => !location.search.includes(tab)", arg=tab.partition("id=")[2][:30]
    )


def test_without_permission_it_is_said_how(page: Page, seeded_store: Path, tab: str) -> None:
    with viewer_server(seeded_store) as address:
        page.goto(f"{address}/{tab}")

        page.get_by_text("modelkb view --run-recorded-code").wait_for()
        assert not page.get_by_role("button", name="Reproduce", exact=True).is_visible()
