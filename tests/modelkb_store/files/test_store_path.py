from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files.store_path import parts_of


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("", ()),
        (".", ()),
        ("a", ("a",)),
        ("a//b/./c/", ("a", "b", "c")),
        ("log/project=cats%20%26%20dogs/x y", ("log", "project=cats%20%26%20dogs", "x y")),
        ("..a/b..", ("..a", "b..")),
        ("müll/猫", ("müll", "猫")),
    ],
)
def test_a_path_is_made_of_names(path: str, parts: tuple[str, ...]) -> None:
    assert parts_of(path, "store") == parts


@pytest.mark.parametrize(
    "path",
    ["..", "../a", "a/..", "a/../../b", "/", "/etc/passwd", "//host/a", "C:/a", "c:", "a/C:/b"],
)
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(PathOutsideStoreError, match="leads out of the store"):
        parts_of(path, "store")


@pytest.mark.parametrize("path", ["..\\a", "a\\..\\b", "\\\\host\\a", "a\0b"])
def test_a_path_that_leads_out_of_another_system_is_refused(path: str) -> None:
    with pytest.raises(PathOutsideStoreError):
        parts_of(path, "store")


@given(st.text())
def test_what_is_not_refused_stays_inside(path: str) -> None:
    try:
        parts = parts_of(path, "store")
    except PathOutsideStoreError:
        return

    assert not {"", ".", ".."} & set(parts)
    assert parts_of("/".join(parts), "store") == parts
