"""The API as a server of its own, until it is stopped."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import click
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from modelkb_viewer.api.application import PATH, make_api
from modelkb_viewer.api.audit import close_audit
from modelkb_viewer.api.prompt_requests import PromptRequests
from modelkb_viewer.api.warm_up import warm_up
from modelkb_viewer.opened_predictor import write_waiting_predictions
from modelkb_viewer.routes.foreign_requests import ForeignRequests
from modelkb_viewer.routes.whole_paths import WholePaths

_SECONDS_TO_END = 10  # for requests that are half sent


def serve_api(uri: str, address: str, port: int) -> None:
    """Serve the store of ``$MODELKB_STORE``, and say where, until Ctrl-C.

    Args:
        uri: The store, as it is called for people.
        address: The network address to listen on.
        port: The port, which is free.
    """

    @contextlib.asynccontextmanager
    async def announced(app: Starlette) -> AsyncIterator[None]:
        await warm_up(app)
        host = f"[{address}]" if ":" in address else address
        click.echo(f"{uri} is served at http://{host}:{port} until Ctrl-C.")
        yield
        # A signal ends the process without what it does at its end otherwise.
        await run_in_threadpool(write_waiting_predictions)
        await run_in_threadpool(close_audit)

    app = Starlette(
        routes=[WholePaths(PATH, app=make_api()), Route("/", _to_documentation)],
        middleware=[Middleware(ForeignRequests, address=lambda: address)],
        lifespan=announced,
    )
    # Ctrl-C is how it ends; all has been closed when it comes here.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(
            app, host=address, port=port, log_level="warning", access_log=False,
            server_header=False, timeout_graceful_shutdown=_SECONDS_TO_END,
            http=PromptRequests,
        )  # fmt: skip


async def _to_documentation(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{PATH}/docs")
