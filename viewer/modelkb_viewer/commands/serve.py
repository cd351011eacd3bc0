"""``modelkb serve``: the store for other machines and programs, without pages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import click

from modelkb_store.errors import InvalidSettingError, MissingPackageError
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.layout import STORE_VARIABLE, create_store, resolve_store_location
from modelkb_viewer.api.settings import CONCURRENT_VARIABLE, REQUESTS_VARIABLE, Settings
from modelkb_viewer.listening import free_port
from modelkb_viewer.options import allow_host_option, store_option
from modelkb_viewer.tokens import require_token

_LOOPBACK = "127.0.0.1"
_DEFAULT_PORT = 8601
_SECONDS_TO_END = 10  # for requests that are half sent


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Where to listen.  [default: {_DEFAULT_PORT}, or the next that is free]",
)
@click.option(
    "--address", default=_LOOPBACK, show_default=True, help="The network address to listen on."
)
@click.option(
    "--max-requests-per-minute",
    type=click.IntRange(1),
    help="How many requests of one token, or of one address without a token, are answered; "
    f"${REQUESTS_VARIABLE}.  [default: {Settings().requests_per_minute:,}]",
)
@click.option(
    "--max-concurrent-requests",
    type=click.IntRange(1),
    help=f"How many requests are answered at once; ${CONCURRENT_VARIABLE}.  "
    f"[default: {Settings().concurrent_requests:,}]",
)
@allow_host_option
@store_option
def command(
    port: int | None,
    address: str,
    allowed_hosts: tuple[str, ...],
    max_requests_per_minute: int | None,
    max_concurrent_requests: int | None,
    store: str | None,
) -> None:
    """Serve a store by its REST API, until Ctrl-C.

    Others then record to it and read it by its address: ModelKB(store="http://host:port"),
    Store("http://host:port"), --store. Only this machine can reach it, unless --address says
    otherwise, which takes a token. A store that is not there is made.

    Examples:
      modelkb serve
      modelkb serve --store /data/modelkb --address 0.0.0.0 --port 8601
    """
    location = resolve_store_location(store)
    if is_server(location):
        raise InvalidSettingError("store", open_files(location).uri, "a folder or bucket")
    if os.path.isfile(location):
        raise InvalidSettingError("store", location, "a folder, not a file")
    try:
        # Inside: no other command needs them.
        import uvicorn
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.middleware import Middleware
        from starlette.requests import Request
        from starlette.responses import RedirectResponse
        from starlette.routing import Route

        from modelkb_viewer.api.application import PATH, make_api
        from modelkb_viewer.api.audit import close_audit
        from modelkb_viewer.api.warm_up import warm_up
        from modelkb_viewer.opened_predictor import write_waiting_predictions
        from modelkb_viewer.routes.foreign_requests import ForeignRequests, allow_hosts
        from modelkb_viewer.routes.whole_paths import WholePaths
    except ImportError as error:
        raise MissingPackageError(
            f"The package {error.name}", "Serving a store", "pip install 'modelkb[server]'"
        ) from error
    files = open_files(location)
    create_store(files)
    require_token(files, address)
    allow_hosts(allowed_hosts)
    os.environ[STORE_VARIABLE] = location
    for name, number in (
        (REQUESTS_VARIABLE, max_requests_per_minute),
        (CONCURRENT_VARIABLE, max_concurrent_requests),
    ):
        if number is not None:
            os.environ[name] = str(number)
    chosen = free_port(address, port, _DEFAULT_PORT)

    @contextlib.asynccontextmanager
    async def announced(app: Starlette) -> AsyncIterator[None]:
        await warm_up(app)
        host = f"[{address}]" if ":" in address else address
        click.echo(f"{files.uri} is served at http://{host}:{chosen} until Ctrl-C.")
        yield
        # A signal ends the process without what it does at its end otherwise.
        await run_in_threadpool(write_waiting_predictions)
        await run_in_threadpool(close_audit)

    async def documentation(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{PATH}/docs")

    app = Starlette(
        routes=[WholePaths(PATH, app=make_api()), Route("/", documentation)],
        middleware=[Middleware(ForeignRequests, address=lambda: address)],
        lifespan=announced,
    )
    # Ctrl-C is how it ends; all has been closed when it comes here.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(
            app, host=address, port=chosen, log_level="warning", access_log=False,
            server_header=False, timeout_graceful_shutdown=_SECONDS_TO_END,
            # The other one that there may be takes headers of any length.
            http="h11",
        )  # fmt: skip
