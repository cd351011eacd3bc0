from __future__ import annotations

import pytest

from modelkb_store.errors import CorruptFileError
from modelkb_viewer import damaged_files
from modelkb_viewer.damaged_files import DamagedFiles


def test_each_file_is_told_once_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    met = DamagedFiles()
    for path in ("b.parquet", "a.parquet", "b.parquet"):
        met.note(CorruptFileError(path, "half of it is missing"))

    texts = met.met_lately()
    assert [text.split()[0] for text in texts] == ["a.parquet", "b.parquet"]
    assert "half of it is missing" in texts[0]

    monkeypatch.setattr(damaged_files, "_SECONDS", -1.0)
    assert met.met_lately() == []
