"""``modelkb view``: the store in the browser."""

from __future__ import annotations

import os

import click

from modelkb_store.errors import MissingPackageError
from modelkb_store.layout import STORE_VARIABLE, resolve_store_location
from modelkb_viewer.options import store_option
from modelkb_viewer.permissions import allow_recorded_code

_LOOPBACK = "127.0.0.1"


@click.command("view")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option(
    "--address", default=_LOOPBACK, show_default=True, help="The network address to listen on."
)
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
@click.option(
    "--run-recorded-code",
    is_flag=True,
    help="Let the pages run code that was recorded from users' scripts: "
    "custom layers of models that are tried, and whole trainings that are done again.",
)
@store_option
def command(
    port: int, address: str, browser: bool, run_recorded_code: bool, store: str | None
) -> None:
    """Show the store in the browser, until Ctrl-C.

    Only this machine can see it, unless --address says otherwise. Nothing is loaded from the
    internet.

    Example: modelkb view --store modelkb
    """
    location = resolve_store_location(store)
    os.environ[STORE_VARIABLE] = location
    if run_recorded_code:
        allow_recorded_code(location)
    try:
        # Inside: no other command needs Streamlit.
        import streamlit as st

        from modelkb_viewer.server import MIDDLEWARE, SCRIPT, SETTINGS, routes
    except ImportError as error:
        raise MissingPackageError(
            f"The package {error.name}", "The viewer", "pip install 'modelkb[viewer]'"
        ) from error
    app = st.App(SCRIPT, routes=routes(), middleware=MIDDLEWARE)
    chosen = {"server.port": port, "server.address": address, "server.headless": not browser}
    app.run(config={**SETTINGS, **chosen})
