from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.warm_up import warm_up
from sweep import record_sweep


def test_what_pages_need_is_read(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_sweep(store, count=2)
    monkeypatch.setenv(STORE_VARIABLE, str(store))

    warm_up()

    assert "modelkb_viewer.pages.navigation" in sys.modules
    assert len(opened_store().experiment_ids("sweep")) == 2


@pytest.mark.parametrize("content", [None, "this is no JSON"])
def test_no_store_and_a_damaged_one_are_left_to_the_pages(
    content: str | None, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        store.mkdir()
        (store / "format.json").write_text(content)
    monkeypatch.setenv(STORE_VARIABLE, str(store))

    warm_up()
