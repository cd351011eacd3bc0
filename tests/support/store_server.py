"""A server of a store in a process of its own, as `modelkb serve` starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from viewer_server import free_port, wait_for

_SECONDS_TO_START = 60


class StoreServer:
    """A server that can be killed and started again, at the same address.

    Args:
        store: The folder of the store; it is made if it is not there.
        environment: Further environment variables.
        address: The network address to listen on.
        prefix: What its command line begins with, to run it elsewhere.

    Attributes:
        port: Where it listens.
        address: Where it is: ``http://127.0.0.1:port``, or another address.
    """

    def __init__(
        self,
        store: Path,
        environment: Mapping[str, str] | None = None,
        *,
        address: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        self.store = store
        self._environment = {**os.environ, **(environment or {})}
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._listens_on = address
        self._prefix = prefix
        self.address = f"http://{address}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        line = [
            *self._prefix,
            sys.executable,
            "-m",
            "modelkb_viewer",
            "serve",
            "--store",
            str(self.store),
        ]
        line += ["--port", str(self.port), "--address", self._listens_on]
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                line, env=self._environment, stdout=said, cwd=self.store.parent
            )
            if self._prefix:  # it cannot be reached from here
                _wait_until_it_speaks(said, self._process)
            else:
                wait_for(f"{self.address}/api/v1/health", self._process)

    @property
    def process_id(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it without a word, as a machine that goes down does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Have it fall silent: it takes connections, and does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def _wait_until_it_speaks(said: BinaryIO, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while os.fstat(said.fileno()).st_size == 0:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(0.5)
