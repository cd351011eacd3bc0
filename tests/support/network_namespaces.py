"""Two machines as far as the network goes: namespaces with a cable between them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A namespace.

    Attributes:
        address: Where it is reached from the other one.
        prefix: What a command line begins with that runs in it.
    """

    address: str
    prefix: tuple[str, ...]


@contextlib.contextmanager
def two_networks() -> Iterator[tuple[Place, Place]]:
    """Make two namespaces that reach each other and nothing else.

    Raises:
        PermissionError: This process may not.
    """
    ends = [f"mkb{os.getpid()}{letter}" for letter in "ab"]
    places = [
        Place(f"10.213.7.{number}", ("ip", "netns", "exec", name))
        for number, name in enumerate(ends, 1)
    ]
    try:
        try:
            for name in ends:
                _ip("netns", "add", name)
            _ip("link", "add", ends[0], "netns", ends[0], "type", "veth",
                "peer", "name", ends[1], "netns", ends[1])  # fmt: skip
            for name, place in zip(ends, places, strict=True):
                _ip("-n", name, "address", "add", f"{place.address}/24", "dev", name)
                _ip("-n", name, "link", "set", name, "up")
                _ip("-n", name, "link", "set", "lo", "up")
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermissionError("no network namespaces can be made here") from error
        yield places[0], places[1]
    finally:
        for name in ends:
            with contextlib.suppress(OSError):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, check=True)
