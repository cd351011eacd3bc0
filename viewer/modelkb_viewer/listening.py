"""Where a server listens: whether a port is free, and who can reach an address."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from modelkb_store.errors import ModelKBError

_MOST_TRIED = 100
_LAST_PORT = 65535
# By another process, or by the system.
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


class AddressNotAvailableError(ModelKBError, OSError):
    """A server cannot listen where it was told to."""

    def __init__(self, address: str, port: int, reason: OSError) -> None:
        why = reason.strerror or str(reason)
        super().__init__(
            f"ModelKB cannot listen on port {port} of {address} ({why}). Give another one with "
            "--port or --address, or end what listens there."
        )


def free_port(address: str, wanted: int | None, default: int) -> int:
    """Return a port to listen on.

    Args:
        address: The network address, or a host's name.
        wanted: The only port that will do; None for any.
        default: Where to begin if any will do: the next one that is free is taken.

    Raises:
        AddressNotAvailableError: The port is taken, or the address is none of this machine's.
    """
    first = default if wanted is None else wanted
    last = min(first + _MOST_TRIED, _LAST_PORT) if wanted is None else first
    for port in range(first, last + 1):
        try:
            _try(address, port)
        except OSError as error:
            if port == last or error.errno not in _TAKEN:
                raise AddressNotAvailableError(address, port, error) from error
        else:
            return port
    raise AssertionError("a range that is never empty")


def is_only_for_this_machine(address: str) -> bool:
    """Return whether nobody else in the network can reach an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _try(address: str, port: int) -> None:
    family, kind, protocol, _, place = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as tried:
        if os.name != "nt":  # there it would take a port that another one listens on
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(place)
        tried.listen()
