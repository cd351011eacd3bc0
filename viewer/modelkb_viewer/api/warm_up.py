"""What a server does before it is announced, so that the first who ask do not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from importlib import import_module

import anyio.to_thread
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message

from modelkb_store.errors import ModelKBError
from modelkb_viewer.api.application import PATH
from modelkb_viewer.opened_store import opened_store

_THREADS = 16
_SWITCH_SECONDS = 0.001
_IMPORTED = ("pandas", "h5py")


async def warm_up(app: ASGIApp) -> None:
    """Have an application make ready what it makes when it is first asked.

    Args:
        app: What has the API below its path.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    # Without a store, or with a damaged one, the answers say what to do.
    with contextlib.suppress(ModelKBError, OSError):
        await run_in_threadpool(_read)
    await _ask(app, f"{PATH}/nothing-is-here")  # routes are made ready as they are looked through
    gc.freeze()  # what is there by now stays: to look through it again and again stops all threads


def _read() -> None:
    for name in _IMPORTED:
        import_module(name)
    store = opened_store()
    store.experiment_rows(store.experiment_ids(order_by="-started_at")[:10])


async def _ask(app: ASGIApp, path: str) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        return

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": {},
    }
    await app(scope, receive, send)
