"""A server of a store in a process of its own, as `modelkb serve` starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from viewer_server import free_port, wait_for


class StoreServer:
    """A server that can be killed and started again, at the same address.

    Args:
        store: The folder of the store; it is made if it is not there.
        environment: Further environment variables.

    Attributes:
        address: Where it is: ``http://127.0.0.1:port``.
    """

    def __init__(self, store: Path, environment: Mapping[str, str] | None = None) -> None:
        self.store = store
        self._environment = {**os.environ, **(environment or {})}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        line = [sys.executable, "-m", "modelkb_viewer", "serve", "--store", str(self.store)]
        line += ["--port", str(self._port)]
        self._process = subprocess.Popen(
            line, env=self._environment, stdout=subprocess.DEVNULL, cwd=self.store.parent
        )
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
