from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit import config
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

import modelkb_viewer
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_viewer.server import SETTINGS
from modelkb_viewer.tokens import Scope, Tokens
from viewer_server import free_port, viewer_server, wait_for

VIEWER = Path(modelkb_viewer.__file__).parents[1]
GUARDED = [
    *("", "/", "/index.html", "/project", "/experiment?id=x", "/sign-out", "/static/js/x.js"),
    *("/_stcore/metrics", "/_stcore/script-health-check"),
    *("/_stcore/upload_file/a/b", "/_stcore/stream", "/_stcore/bidi-components/x", "/healthz"),
    *("/media/x.png", "/component/x/index.html", "/app/static/x", "/auth/login", "/oauth2callback"),
    *("/netron/", "/netron/view.js", "/architectures/a1a1a1a1a1a1a1a1.h5"),
    "/progress/20260102-030405678-0000000001",
    *("/_stcore/health/../metrics", "/sign-in/../netron/"),
    *("/%5fstcore/metrics", "/x/api/v1/projects", "//sign-in"),
]


def test_the_checkout_has_the_same_settings() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    sections = tomllib.loads((VIEWER / ".streamlit/config.toml").read_text())

    found = {
        f"{section}.{name}": value
        for section, values in sections.items()
        for name, value in values.items()
    }

    assert found == SETTINGS


def test_streamlit_knows_every_setting() -> None:
    assert set(SETTINGS) <= set(config._config_options_template)


def test_what_would_let_others_in_is_left_off() -> None:
    template = config._config_options_template
    defaults = {name: SETTINGS.get(name, template[name].default_val) for name in template}

    assert defaults["browser.gatherUsageStats"] is False
    assert defaults["server.address"] == "127.0.0.1"
    assert defaults["server.enableXsrfProtection"] is True
    assert defaults["server.enableCORS"] is True
    assert defaults["server.enableAgentApi"] is False
    assert defaults["server.enableStaticServing"] is False


@pytest.mark.slow
def test_streamlit_run_starts_it_in_a_checkout(store: Path) -> None:
    port = free_port()
    line = [sys.executable, "-m", "streamlit", "run", VIEWER.name]
    line += ["--server.port", str(port), "--server.headless", "true"]
    environment = {**os.environ, "MODELKB_STORE": str(store)}
    process = subprocess.Popen(line, cwd=VIEWER.parent, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        for path in ("", "netron/"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as answer:
                assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_streamlit_run_is_not_for_others_without_a_token(store: Path) -> None:
    line = [sys.executable, "-m", "streamlit", "run", VIEWER.name, "--server.address", "0.0.0.0"]
    line += ["--server.port", str(free_port()), "--server.headless", "true"]
    environment = {**os.environ, "MODELKB_STORE": str(store)}

    ended = subprocess.run(
        line,
        cwd=VIEWER.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode != 0
    assert "Everybody who reaches 0.0.0.0 could read and change the store" in ended.stderr


@pytest.mark.slow
def test_the_whole_server_is_guarded(store: Path, tmp_path: Path) -> None:
    create_store(LocalFiles(store))
    _, text = Tokens(LocalFiles(store)).create("ada", Scope.READ)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text('[server]\nbaseUrlPath = "lab/kb"\n')
    with viewer_server(store, base="/lab/kb") as address:
        root = address.removesuffix("/lab/kb")
        for path in GUARDED:
            for method in ("GET", "PUT", "POST"):
                status, _ = asked(f"{address}{path}", method)
                assert status in (400, 401), f"{method} {path}"
        assert asked(f"{root}/netron/view.js", "GET")[0] == 401
        # The API does not know it, and nobody else is asked.
        for path in ("/api/v1/../../netron/view.js", "/api/v1%2f..%2fproject"):
            assert asked(f"{address}{path}", "GET")[0] == 404, path
        with connect(f"ws{address.removeprefix('http')}/_stcore/stream") as socket:
            socket.send(b"anything")
            assert socket.recv()[-7:] == b"sign-in"
            with pytest.raises(ConnectionClosedError):
                socket.recv()

        assert asked(f"{address}/_stcore/health", "GET") == (200, b"ok")
        assert asked(f"{address}/api/v1/health", "GET")[0] == 200
        assert asked(f"{address}/api/v1/projects", "GET")[0] == 401
        bearer = {"Authorization": f"Bearer {text}"}
        assert asked(f"{address}/api/v1/projects", "GET", bearer)[0] == 200
        assert asked(f"{address}/netron/view.js", "GET", bearer)[0] == 401
        assert asked(f"{address}/api/v1/health", "GET", {"Host": "evil.example"})[0] == 403


def asked(address: str, method: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Return the status and body of an answer; the path is sent as it is."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=20)
    connection.request(method, address.partition(parts.netloc)[2], headers=headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found
