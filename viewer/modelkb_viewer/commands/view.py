"""``modelkb view``: the store in the browser."""

from __future__ import annotations

import contextlib
import os
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from typing import Any

import click

from modelkb_store.errors import MissingPackageError
from modelkb_store.files.open_files import open_files
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.listening import free_port
from modelkb_viewer.options import (
    LOOPBACK,
    allow_host_option,
    listening_options,
    served_location,
    store_option,
)
from modelkb_viewer.permissions import allow_recorded_code
from modelkb_viewer.tokens import require_token

_DEFAULT_PORT = 8501
# Listening on all addresses, it is reached under this one here, too.
_ALL = ("0.0.0.0", "::", "")  # noqa: S104 - to be told apart


@click.command("view")
@listening_options(_DEFAULT_PORT)
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
@click.option(
    "--run-recorded-code",
    is_flag=True,
    help="Let the pages run code that was recorded from users' scripts: "
    "custom layers of models that are tried, and whole trainings that are done again.",
)
@allow_host_option
@store_option
def command(
    port: int | None,
    address: str,
    browser: bool,
    run_recorded_code: bool,
    allowed_hosts: tuple[str, ...],
    store: str | None,
) -> None:
    """Show the store in the browser, until Ctrl-C.

    Only this machine can see it, unless --address says otherwise, which takes a token. A store
    that has tokens asks for one. Nothing is loaded from the internet.

    Examples:
      modelkb view
      modelkb view --store s3://lab-experiments/modelkb --port 8600
    """
    location = served_location(store)
    require_token(open_files(location), address)
    os.environ[STORE_VARIABLE] = location
    if run_recorded_code:
        allow_recorded_code(location)
    try:
        # Inside: no other command needs Streamlit.
        import streamlit as st

        from modelkb_viewer.routes.foreign_requests import allow_hosts
        from modelkb_viewer.server import MIDDLEWARE, SCRIPT, SETTINGS, lifespan, routes
    except ImportError as error:
        raise MissingPackageError(
            f"The package {error.name}", "The viewer", "pip install 'modelkb[viewer]'"
        ) from error
    allow_hosts(allowed_hosts)
    chosen_port = free_port(address, port, _DEFAULT_PORT)

    @contextlib.asynccontextmanager
    async def announced(app: object) -> AsyncIterator[None]:
        async with lifespan(app):
            base = str(st.get_option("server.baseUrlPath") or "").strip("/")
            host = LOOPBACK if address in _ALL else address
            _announce(location, _url(host, chosen_port, base), opens=browser)
            yield

    app = st.App(SCRIPT, routes=routes(), middleware=MIDDLEWARE, lifespan=announced)
    # Ctrl-C is how it ends; all has been closed when it comes here.
    with contextlib.suppress(KeyboardInterrupt):
        app.run(config={**SETTINGS, **_settings(address, chosen_port)})


def _settings(address: str, port: int) -> dict[str, Any]:
    """Return what is Streamlit's business; it says and opens nothing by itself."""
    return {
        "server.port": port,
        "server.address": address,
        "server.headless": True,
        "logger.hideWelcomeMessage": True,
    }


def _announce(location: str, url: str, *, opens: bool) -> None:
    click.echo(f"The viewer shows {location} at {url} until Ctrl-C.")
    if opens:
        # $BROWSER is respected; some browsers return only when they are closed.
        opening: Callable[[str], bool] = webbrowser.open
        threading.Thread(target=opening, args=(url,), daemon=True).start()


def _url(host: str, port: int, base: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/{base}"
