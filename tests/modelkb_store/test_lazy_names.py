from __future__ import annotations

import subprocess
import sys

import pytest

import modelkb_callbacks
import modelkb_store
from modelkb_store.lazy_names import lazy_names


def test_a_name_is_imported_once_and_kept() -> None:
    load = lazy_names("modelkb_store", {"Tables": "tables"})
    assert "Tables" not in vars(modelkb_store)
    try:
        assert load("Tables") is modelkb_store.tables.Tables
        assert vars(modelkb_store)["Tables"] is modelkb_store.tables.Tables
    finally:
        del modelkb_store.Tables


@pytest.mark.parametrize("package", [modelkb_store, modelkb_callbacks])
def test_all_public_names_are_there_and_no_others(package: object) -> None:
    for name in package.__all__:  # type: ignore[attr-defined]
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing_such'"):
        _ = package.nothing_such  # type: ignore[attr-defined]
    assert not hasattr(package, "__wrapped__")


def test_the_store_is_light_until_it_is_used() -> None:
    line = (
        "import sys, modelkb_store; print({'numpy', 'pyarrow', 'pandas', 'h5py'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
