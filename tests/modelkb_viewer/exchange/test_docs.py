"""docs/exchange.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from modelkb_viewer.exchange.exporting.exporters import EXPORTERS
from modelkb_viewer.exchange.importing.importers import IMPORTERS

TEXT = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text(encoding="utf-8")


def test_every_tool_is_in_its_table() -> None:
    out, back = TEXT.split("## In")
    rows = [re.findall(r"^\| `([a-z][a-z-]+)` \|", part, re.MULTILINE) for part in (out, back)]
    assert sorted(rows[0]) == sorted(EXPORTERS)
    assert sorted(rows[1]) == sorted(IMPORTERS)
