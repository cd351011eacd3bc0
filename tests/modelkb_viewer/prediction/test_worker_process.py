from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

_SERVER = """
import os, sys
from modelkb_viewer.prediction.messages import Message
from modelkb_viewer.prediction.worker_process import WorkerProcess

worker = WorkerProcess("tensorflow", idle_seconds=60, most_bytes=1 << 40)
key = {"location": sys.argv[1], "experiment_id": "a", "checkpoint": None, "revision": ""}
answer = worker.ask(Message({"key": {**key, "runs_code": False}, "names": None}), 60)
print(answer.content["text"])
print(worker.process_id, flush=True)
os._exit(9)
"""


@pytest.mark.slow
def test_the_process_ends_with_the_server_whatever_ends_it(tmp_path: Path) -> None:
    # A file in the folder that the server was started in is not imported.
    (tmp_path / "keras.py").write_text("raise AssertionError('imported')")
    ended = subprocess.run(
        [sys.executable, "-c", _SERVER, str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 9, ended.stderr
    text, process_id = ended.stdout.splitlines()
    assert text.startswith("No ModelKB store at")
    until = time.monotonic() + 20
    while psutil.pid_exists(int(process_id)):
        assert time.monotonic() < until
        time.sleep(0.05)
