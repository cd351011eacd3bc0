from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from modelkb_viewer.listening import (
    AddressNotAvailableError,
    free_port,
    is_only_for_this_machine,
)

LOOPBACK = "127.0.0.1"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another one listens on."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_wanted_port_that_is_taken_is_an_error(taken_port: int) -> None:
    with pytest.raises(AddressNotAvailableError, match=f"port {taken_port} of 127.0.0.1") as caught:
        free_port(LOOPBACK, taken_port, 8501)

    assert "--port" in str(caught.value)


def test_without_a_wish_the_next_free_one_is_taken(taken_port: int) -> None:
    found = free_port(LOOPBACK, None, taken_port)

    assert taken_port < found <= taken_port + 100
    assert free_port(LOOPBACK, found, taken_port) == found


@pytest.mark.parametrize("address", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_an_error_at_once(address: str) -> None:
    with pytest.raises(AddressNotAvailableError, match=f"port 8501 of {address}"):
        free_port(address, None, 8501)


@pytest.mark.parametrize(
    ("address", "is_only"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("lab.example", False),
    ],
)
def test_who_can_reach_an_address(address: str, is_only: bool) -> None:
    assert is_only_for_this_machine(address) is is_only
