from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from streamlit import config

import modelkb_viewer
from modelkb_viewer.server import SETTINGS
from viewer_server import free_port, wait_for

VIEWER = Path(modelkb_viewer.__file__).parents[1]


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
