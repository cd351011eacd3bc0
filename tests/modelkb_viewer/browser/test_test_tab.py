from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("tensorflow")

from PIL import Image
from sklearn.datasets import load_digits

from trained_models import DIGITS, record_digits
from viewer_server import viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytestmark = pytest.mark.slow
_SECONDS = 120_000


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with a network that reads handwritten digits."""
    store = tmp_path_factory.mktemp("digits") / "modelkb"
    return store, record_digits(store)


def _picture(number: int) -> bytes:
    """A digit of the training data, as somebody might have saved it: large, in colours."""
    digits = load_digits()
    place = list(digits.target).index(number)
    image = Image.fromarray((digits.images[place] * 255 / 16).astype("uint8"))
    buffer = io.BytesIO()
    image.resize((256, 256), Image.Resampling.NEAREST).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def test_the_label_of_a_picture_is_read(digits: tuple[Path, str], page: Page) -> None:
    store, experiment_id = digits
    with viewer_server(store) as address:
        page.goto(f"{address}/experiment?id={experiment_id}&tab=Test")
        upload = page.locator("input[type=file]")
        upload.set_input_files([_file("six.png", _picture(6))])
        page.get_by_text("0..16, the range of the training data").wait_for(timeout=_SECONDS)
        page.get_by_role("heading", name="Prediction", exact=True).wait_for(timeout=_SECONDS)
        page.get_by_role("heading", name=DIGITS[6], exact=True).wait_for(timeout=_SECONDS)
        page.get_by_alt_text("six.png as the model sees it").wait_for(timeout=_SECONDS)
        # What was tried is in the store, and listed below.
        page.get_by_role("heading", name="Latest predictions").wait_for(timeout=_SECONDS)
        # What is no picture is said in its place, and the page goes on.
        upload.set_input_files([_file("no.png", b"<script>")])
        page.get_by_text("it is no picture of a known format").first.wait_for(timeout=_SECONDS)
