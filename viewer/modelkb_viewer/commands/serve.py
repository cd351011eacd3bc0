"""``modelkb serve``: the store for other machines and programs, without pages."""

from __future__ import annotations

import os

import click

from modelkb_store.errors import InvalidSettingError, MissingPackageError
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.layout import STORE_VARIABLE, create_store
from modelkb_viewer.api.settings import CONCURRENT_VARIABLE, REQUESTS_VARIABLE, Settings
from modelkb_viewer.listening import free_port
from modelkb_viewer.options import (
    allow_host_option,
    listening_options,
    served_location,
    store_files_option,
)
from modelkb_viewer.tokens import require_token

_DEFAULT_PORT = 8601


@click.command("serve")
@listening_options(_DEFAULT_PORT)
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
@store_files_option
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
    location = served_location(store)
    if is_server(location):
        raise InvalidSettingError("store", open_files(location).uri, "a folder or bucket")
    try:
        # Inside: no other command needs it.
        from modelkb_viewer.api.serving import serve_api
        from modelkb_viewer.routes.foreign_requests import allow_hosts
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
    serve_api(files.uri, address, free_port(address, port, _DEFAULT_PORT))
