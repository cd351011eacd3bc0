"""A viewer in a process of its own, as `modelkb view` starts it, and a browser to look at it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SECONDS_TO_START = 60
# Without these Chromium asks the internet for updates, and needs a sandbox that root has not.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


def chromium() -> str | None:
    """Return where Debian's or another Chromium lies; None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def viewer_server(
    store: Path, *options: str, base: str = "", port: int | None = None
) -> Iterator[str]:
    """Start `modelkb view` for a store, and give its address.

    Args:
        store: The store; the server's folder is the one that it is in.
        options: Further ones of the command.
        base: What its paths begin with, such as ``/lab``, if that folder sets it.
        port: Where it listens; by default any free port.
    """
    port = port or free_port()
    line = [sys.executable, "-m", "modelkb_viewer", "view", "--store", str(store)]
    line += ["--port", str(port), "--no-browser", *options]
    address = f"http://127.0.0.1:{port}{base}"
    with served(line, address, store.parent):
        yield address


@contextlib.contextmanager
def served(line: list[str], address: str, folder: Path) -> Iterator[None]:
    """Run a command that serves Streamlit's pages at an address, from a folder."""
    process = subprocess.Popen(line, env=dict(os.environ), cwd=folder)
    try:
        wait_for(f"{address}/_stcore/health", process)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        yield started
        started.close()


@dataclass
class Complaints:
    """What a page says that it should not: errors, and requests to elsewhere.

    Attributes:
        errors: Errors and warnings of its console, and exceptions.
        foreign: Addresses elsewhere that it asked for.
    """

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def listen(page: Page) -> Complaints:
    """Note from now on what a page complains about."""
    found = Complaints()
    page.on(
        "console",
        lambda message: found.errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else found.foreign.append(request.url)
        ),
    )
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[Any]) -> None:
    """Return when a server answers; it must not end before."""
    until = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < until:
        assert process.poll() is None, "the viewer ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")
