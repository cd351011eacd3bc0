"""Makes the README's screenshots of the viewer, from a real store.

    python docs/screenshots/record_example_store.py /tmp/example/modelkb
    python docs/screenshots/make_screenshots.py /tmp/example/modelkb

Needs the extra `dev` and a Chromium. The pictures are written beside this file.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from modelkb_store import Store
from viewer_server import browser, viewer_server

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 1200, 780
_MILLISECONDS = 60_000
_SETTLES_MILLISECONDS = 2_500  # until charts and tables have been drawn


@dataclass(frozen=True)
class Picture:
    """A picture to make.

    Attributes:
        name: Of its file.
        path: The page, below the address of the viewer.
        text: What is seen at last.
        height: In pixels.
    """

    name: str
    path: str
    text: str
    height: int = HEIGHT


def pictures(store: Path) -> list[Picture]:
    """Return the pictures to make of the example store."""
    runs = Store(store).experiments("digits", order_by="-metrics.val_accuracy")
    best, first = runs.iloc[0], runs["architecture_id"].iloc[0]
    other = runs[runs["architecture_id"] != first].iloc[0]
    project = {"project": "digits", "where": "metrics.val_accuracy > 0.5"}
    chosen = {"id": best["experiment_id"]}
    drawn = {**chosen, "tab": "Architecture"}
    both = [("id", best["experiment_id"]), ("id", other["experiment_id"])]
    return [
        Picture("dashboard", "", "Recent experiments"),
        Picture("project", f"project?{urlencode(project)}", "Charts", 1_720),
        Picture("experiment", f"experiment?{urlencode(chosen)}", "Evaluation", 2_260),
        Picture("architecture", f"experiment?{urlencode(drawn)}", "Layers", 1_150),
        Picture("compare", f"compare?{urlencode([*both, ('tab', 'Architecture')])}", "Experiments"),
    ]


def shoot(page: Page, address: str, picture: Picture) -> None:
    """Make a picture, once the page shows its text."""
    page.set_viewport_size({"width": WIDTH, "height": picture.height})
    page.goto(f"{address}/{picture.path}")
    page.get_by_text(picture.text, exact=True).first.wait_for(timeout=_MILLISECONDS)
    page.wait_for_timeout(_SETTLES_MILLISECONDS)
    file = FOLDER / f"{picture.name}.png"
    page.screenshot(path=file)
    print(f"{file.name}: {file.stat().st_size:,} bytes")


def main() -> None:
    """Make all pictures."""
    store = Path(sys.argv[1]).absolute()
    with viewer_server(store) as address, browser() as chromium:
        page = chromium.new_page()
        for picture in pictures(store):
            shoot(page, address, picture)


if __name__ == "__main__":
    main()
