from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.permissions import (
    CODE_VARIABLE,
    RecordedCodeNotAllowedError,
    allow_recorded_code,
    check_recorded_code,
    recorded_code_is_allowed,
)


@pytest.mark.parametrize(
    ("shown", "allowed", "answer"),
    [
        ("/lab/modelkb", "/lab/modelkb", True),
        ("s3://lab/modelkb", "s3://lab/modelkb", True),
        ("/lab/modelkb", "/lab/other", False),
        ("/lab/modelkb", "1", False),
        ("/lab/modelkb", "", False),
        ("/lab/modelkb", None, False),
    ],
)
def test_it_is_allowed_for_one_store(shown: str, allowed: str | None, answer: bool) -> None:
    environ = {STORE_VARIABLE: shown, **({} if allowed is None else {CODE_VARIABLE: allowed})}

    assert recorded_code_is_allowed(environ) is answer


def test_a_relative_path_is_the_same_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert recorded_code_is_allowed({STORE_VARIABLE: str(tmp_path / "a"), CODE_VARIABLE: "a"})


def test_without_permission_an_error_says_how_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "/lab/modelkb")
    monkeypatch.delenv(CODE_VARIABLE, raising=False)
    with pytest.raises(RecordedCodeNotAllowedError, match="This runs code .*--run-recorded-code"):
        check_recorded_code("This")

    monkeypatch.setenv(CODE_VARIABLE, "/lab/other")
    allow_recorded_code("/lab/modelkb")
    check_recorded_code("This")
