from __future__ import annotations

import pytest

from modelkb_store.errors import InvalidSettingError
from modelkb_store.server.address import ServerAddress


@pytest.mark.parametrize(
    ("location", "uri", "token"),
    [
        ("https://lab.example", "https://lab.example", None),
        ("HTTPS://Lab.Example:8601/", "https://lab.example:8601", None),
        ("http://127.0.0.1:1/kb/api/v1/", "http://127.0.0.1:1/kb", None),
        ("http://[::1]:8601", "http://[::1]:8601", None),
        ("https://mkb_a%2Fb@lab.example", "https://lab.example", "mkb_a/b"),
        ("https://token:mkb_ab@lab.example/kb", "https://lab.example/kb", "mkb_ab"),
    ],
)
def test_an_address(location: str, uri: str, token: str | None) -> None:
    address = ServerAddress.parse(location, {})
    assert (address.uri, address.token) == (uri, token)
    assert address.base == f"{uri}/api/v1"
    assert token is None or token not in repr(address)


def test_a_token_of_the_environment() -> None:
    environment = {"MODELKB_TOKEN": " mkb_env\n"}
    assert ServerAddress.parse("https://lab", environment).token == "mkb_env"
    assert ServerAddress.parse("https://mkb_own@lab", environment).token == "mkb_own"


@pytest.mark.parametrize(
    "location", ["https://", "https://token@", "https://lab:x", "https://lab?a=b", "http://lab#x"]
)
def test_what_is_no_address(location: str) -> None:
    with pytest.raises(InvalidSettingError, match="https://host:port") as raised:
        ServerAddress.parse(location, {})
    assert "token" not in str(raised.value)
