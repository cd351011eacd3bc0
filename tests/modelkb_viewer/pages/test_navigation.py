from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.server import SCRIPT
from page_test import page_test
from sweep import record_sweep


def test_streamlit_takes_no_file_for_a_page() -> None:
    assert not SCRIPT.with_name("pages").exists()


@pytest.mark.parametrize("module", ["dashboard", "project", "experiment", "compare"])
def test_pages_without_a_store_say_what_to_do(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_test(module, tmp_path / "none", monkeypatch, id="20260102-030405678-00").run()
    assert not page.exception
    assert not page.error
    assert [each.value for each in page.title] == ["Record your first run"]


def test_the_script_shows_the_dashboard(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_sweep(store, count=1)
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    page = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert page.title


def test_a_damaged_file_is_named_and_all_else_is_shown(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_sweep(store, count=3)
    path = sorted((store / "experiments").rglob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:100])
    monkeypatch.setenv(STORE_VARIABLE, str(store))

    page = AppTest.from_file(SCRIPT, default_timeout=60).run()

    assert not page.error
    (box,) = page.warning
    assert path.name in box.value.replace("\\", "")
    recent = page.dataframe[-1].value
    assert len(recent) == 2
