"""Python with Keras loaded, which forks a process for every script: loading takes seconds.

    python warm_python.py

Each line of standard input is a request as JSON: to start a script, or to wait for one. Nothing
is computed before a fork, so that no thread of a backend is lost by it.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Started:
    """A script that runs."""

    python: WarmPython
    process_id: int
    output: Path

    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self.python.ask(process=self.process_id, wait=False) == "running"

    def end(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end."""
        code = int(self.python.ask(process=self.process_id, wait=True))
        texts = (self.output.with_suffix(end).read_text() for end in (".out", ".err"))
        return subprocess.CompletedProcess([], code, *texts)


class WarmPython:
    """Runs scripts as ``python SCRIPT`` does, in the caller's environment and folder."""

    def __init__(self, folder: Path, backend: str | None = None) -> None:
        self._folder = folder
        # Not named unless another is wanted: recordings tell which variables are set.
        self._own = {"KERAS_BACKEND": backend} if backend else {}
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **self._own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def start(
        self, script: str, *arguments: object, environment: dict[str, str] | None = None
    ) -> Started:
        """Start a script, given by its text."""
        self._count += 1
        path = self._folder / str(self._count) / "train.py"
        path.parent.mkdir()
        path.write_text(script)
        process_id = self.ask(
            line=[str(path), *map(str, arguments)],
            environment={**os.environ, **self._own, **(environment or {})},
            folder=os.getcwd(),
        )
        return Started(self, int(process_id), path)

    def run(
        self, script: str, *arguments: object, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        return self.start(script, *arguments, **options).end()

    def ask(self, **request: Any) -> str:
        """Send a request and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def serve() -> dict[str, Any] | None:
    """Answer requests; in a forked process return what to start, at the end nothing."""
    ended: dict[int, int] = {}
    for text in sys.stdin:
        request: dict[str, Any] = json.loads(text)
        if process := request.get("process"):
            if process not in ended:
                found, status = os.waitpid(process, 0 if request["wait"] else os.WNOHANG)
                if found:
                    ended[process] = os.waitstatus_to_exitcode(status)
            print(ended.get(process, "running"), flush=True)
            continue
        child = os.fork()
        if not child:
            return request
        print(child, flush=True)
    return None


def become(request: dict[str, Any]) -> None:
    """Be the process of a script."""
    script = Path(request["line"][0])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv, sys.path[0] = request["line"], str(script.parent)
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - until the process ends
    for number, end in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(script.with_suffix(end), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    for module in (backend, "keras", "pandas", "pyarrow.parquet", "h5py"):
        importlib.import_module(module)
    if (asked := serve()) is not None:
        become(asked)
