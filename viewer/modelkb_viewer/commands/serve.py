"""``modelkb serve``: the store for other machines and programs, without pages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import click

from modelkb_store.errors import InvalidSettingError, MissingPackageError
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.layout import STORE_VARIABLE, create_store, resolve_store_location
from modelkb_viewer.listening import free_port, is_only_for_this_machine
from modelkb_viewer.options import store_option
from modelkb_viewer.tokens import NoTokenError, Tokens

_LOOPBACK = "127.0.0.1"
_DEFAULT_PORT = 8601


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Where to listen.  [default: {_DEFAULT_PORT}, or the next that is free]",
)
@click.option(
    "--address", default=_LOOPBACK, show_default=True, help="The network address to listen on."
)
@store_option
def command(port: int | None, address: str, store: str | None) -> None:
    """Serve a store by its REST API, until Ctrl-C.

    Others then record to it and read it by its address: ModelKB(store="http://host:port"),
    Store("http://host:port"), --store. Only this machine can reach it, unless --address says
    otherwise, which takes a token. A store that is not there is made.

    Example: modelkb serve --store modelkb --port 8601
    """
    location = resolve_store_location(store)
    if is_server(location):
        raise InvalidSettingError("store", open_files(location).uri, "a folder or bucket")
    try:
        # Inside: no other command needs them.
        import uvicorn
        from starlette.applications import Starlette
        from starlette.routing import Mount

        from modelkb_viewer.api.application import PATH, make_api
        from modelkb_viewer.api.authentication import TOKEN_REQUIRED_VARIABLE
        from modelkb_viewer.api.warm_up import warm_up
        from modelkb_viewer.opened_predictor import write_waiting_predictions
    except ImportError as error:
        raise MissingPackageError(
            f"The package {error.name}", "Serving a store", "pip install 'modelkb[server]'"
        ) from error
    files = open_files(location)
    create_store(files)
    if not is_only_for_this_machine(address):
        if not Tokens(files).exist():
            raise NoTokenError(address)
        os.environ[TOKEN_REQUIRED_VARIABLE] = "1"
    os.environ[STORE_VARIABLE] = location
    chosen = free_port(address, port, _DEFAULT_PORT)

    @contextlib.asynccontextmanager
    async def announced(app: Starlette) -> AsyncIterator[None]:
        await warm_up(app)
        host = f"[{address}]" if ":" in address else address
        click.echo(f"{files.uri} is served at http://{host}:{chosen} until Ctrl-C.")
        yield
        # A signal ends the process without what it does at its end otherwise.
        write_waiting_predictions()

    app = Starlette(routes=[Mount(PATH, make_api())], lifespan=announced)
    # Ctrl-C is how it ends; all has been closed when it comes here.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(
            app, host=address, port=chosen, log_level="warning", access_log=False,
            server_header=False,
        )  # fmt: skip
