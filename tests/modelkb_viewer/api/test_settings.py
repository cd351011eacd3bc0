from __future__ import annotations

import pytest

from modelkb_store.errors import InvalidSettingError
from modelkb_viewer.api.settings import (
    CONCURRENT_VARIABLE,
    REQUESTS_VARIABLE,
    SQL_VARIABLE,
    Settings,
    settings,
)


def test_the_environment_counts() -> None:
    environ = {REQUESTS_VARIABLE: "60", CONCURRENT_VARIABLE: "7", SQL_VARIABLE: "1.5"}
    assert settings(environ) == Settings(60, 7, 1.5)
    assert settings({REQUESTS_VARIABLE: ""}) == Settings()


@pytest.mark.parametrize("value", ["many", "0", "-1", "inf", "nan"])
def test_what_is_no_number_is_said(value: str) -> None:
    with pytest.raises(InvalidSettingError, match=REQUESTS_VARIABLE):
        settings({REQUESTS_VARIABLE: value})
