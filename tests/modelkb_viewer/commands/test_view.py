"""``modelkb view``: how it starts and ends; what it shows is tested in a browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import STORE_VARIABLE, create_store
from modelkb_viewer.tokens import TOKEN_REQUIRED_VARIABLE, Scope, Tokens
from viewer_server import free_port, wait_for

Modelkb = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what the command sets in the environment taken back."""
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "1")
    monkeypatch.delenv(TOKEN_REQUIRED_VARIABLE)
    monkeypatch.setenv("MODELKB_RUN_RECORDED_CODE", "")


def test_a_port_that_is_taken_is_named(modelkb: Modelkb) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = modelkb("view", "--port", port, "--no-browser")

    assert ended.exit_code == 1
    assert ended.errors.startswith(f"modelkb: ModelKB cannot listen on port {port} of 127.0.0.1")


def test_others_are_not_let_in_without_a_token(modelkb: Modelkb, store: Path) -> None:
    for options in ([], ["--run-recorded-code"]):
        ended = modelkb("view", "--address", "0.0.0.0", "--no-browser", *options)
        assert ended.exit_code == 1
        assert "Everybody who reaches 0.0.0.0" in ended.errors
        assert "`modelkb token create`" in ended.errors
    elsewhere = ["--store", "https://lab.example", "--address", "0.0.0.0"]
    assert modelkb("view", "--no-browser", *elsewhere).exit_code == 1

    create_store(LocalFiles(store))
    Tokens(LocalFiles(store)).create("mine", Scope.READ)
    # Nobody has this address, so that it ends before it listens.
    ended = modelkb("view", "--address", "192.0.2.1", "--no-browser")
    assert ended.exit_code == 1
    assert "cannot listen" in ended.errors


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_it_opens_the_browser_and_ends_by_ctrl_c(store: Path, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    port = free_port()
    line = [sys.executable, "-m", "modelkb_viewer", "view", "--store", str(store)]
    line += ["--port", str(port)]
    environment = {**os.environ, "BROWSER": str(browser)}
    process = subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        until = time.monotonic() + 30
        while not (opened.exists() and opened.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 0, errors
    assert opened.read_text() == f"http://127.0.0.1:{port}/\n"
    assert output == f"The viewer shows {store} at http://127.0.0.1:{port}/ until Ctrl-C.\n"
    assert errors == ""
