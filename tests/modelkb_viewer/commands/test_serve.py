"""``modelkb serve``: what it refuses; that it serves is tested with those who use it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
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
def _own_environment_of_the_server(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    """Have what the command sets in the environment taken back."""
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "")


def test_others_are_not_let_in_without_a_token(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("serve", "--address", "0.0.0.0", "--port", free_port())
    assert ended.exit_code == 1
    assert "Everybody who reaches 0.0.0.0" in ended.errors
    assert "`modelkb token create`" in ended.errors

    create_store(LocalFiles(store))
    Tokens(LocalFiles(store)).create("mine", Scope.WRITE)
    # Nobody has this address, so that it ends before it listens.
    ended = modelkb("serve", "--address", "192.0.2.1", "--port", free_port())
    assert ended.exit_code == 1
    assert "cannot listen" in ended.errors


def test_what_it_cannot_serve(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = modelkb("serve", "--port", taken.getsockname()[1])
    assert "cannot listen" in ended.errors
    ended = modelkb("serve", "--store", "https://mkb_secret@lab.example")
    assert "a folder or bucket" in ended.errors
    assert "secret" not in ended.errors
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert "is not a ModelKB store" in modelkb("serve", "--store", tmp_path / "full").errors


@pytest.mark.slow
def test_it_serves_until_ctrl_c_without_streamlit(store: Path, tmp_path: Path) -> None:
    port = free_port()
    code = (
        "import sys\n"
        "from modelkb_viewer.main import modelkb\n"
        f"line = ['serve', '--store', {str(store)!r}, '--port', '{port}']\n"
        "line += ['--allow-host', 'lab.example', '--allow-host', 'hub.example']\n"
        "modelkb(line, standalone_mode=False)\n"
        "print(sorted({'streamlit', 'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    wait_for(f"http://127.0.0.1:{port}/api/v1/health", process)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/openapi.json") as answer:
        assert answer.status == 200
    assert _status(port, {"Host": "hub.example"}) == 200
    assert _status(port, {"Host": "evil.example"}) == 403
    assert _status(port, {"Origin": "https://evil.example"}, b"{}") == 403
    assert _status(port, {"Sec-Fetch-Site": "cross-site"}, b"{}") == 403
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    announced, modules = output.splitlines()
    assert announced == f"{store} is served at http://127.0.0.1:{port} until Ctrl-C."
    assert modules == "[]"
    assert (store / "format.json").exists()


def _status(port: int, headers: dict[str, str], body: bytes | None = None) -> int:
    address = f"http://127.0.0.1:{port}/api/v1/{'sql' if body else 'health'}"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
