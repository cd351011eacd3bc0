"""The viewer as one server: Streamlit's pages, the REST API, and routes of our own beside them.

``viewer/streamlit_app.py`` and `modelkb view` make a ``streamlit.App`` of what is here.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from modelkb_store.files.open_files import open_files
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.api.audit import close_audit
from modelkb_viewer.api.settings import settings
from modelkb_viewer.opened_predictor import write_waiting_predictions
from modelkb_viewer.reproduction_jobs import REPRODUCTIONS
from modelkb_viewer.routes.api_beside import ApiBeside
from modelkb_viewer.routes.architectures import architecture_route
from modelkb_viewer.routes.foreign_requests import ForeignRequests
from modelkb_viewer.routes.guard import Guard
from modelkb_viewer.routes.netron import netron_route
from modelkb_viewer.routes.page_shells import page_shell_routes
from modelkb_viewer.routes.progress import progress_route
from modelkb_viewer.routes.security_headers import SecurityHeaders
from modelkb_viewer.tokens import require_token
from modelkb_viewer.warm_up import warm_up

SCRIPT = Path(__file__).parent / "pages/script.py"
# The same as in viewer/.streamlit/config.toml, which `streamlit run viewer` reads.
SETTINGS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.maxUploadSize": 200,
    # Python collects by itself; after each look it would cost more than all else.
    "runner.postScriptGC": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}

_LONGEST_WARM_UP_SECONDS = 3.0


def _address() -> str:
    return str(st.get_option("server.address") or "")


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def _farewell(address: str) -> bytes:
    """Return the message by which Streamlit's own `st.login` has a page go elsewhere."""
    message = ForwardMsg()
    message.auth_redirect.url = address
    content: bytes = message.SerializeToString()
    return content


# Settings are asked for when the server starts, as only then all of them are known.
MIDDLEWARE = [
    Middleware(SecurityHeaders),
    Middleware(ForeignRequests, address=_address),
    Middleware(ApiBeside, base=_base),
    Middleware(Guard, base=_base, farewell=_farewell),
]


def routes() -> list[BaseRoute]:
    """Return what is served beside the pages, below whatever ``server.baseUrlPath`` there is.

    The API and the page to sign in are in :data:`MIDDLEWARE`, before what guards these.
    """
    return [netron_route(), architecture_route(), progress_route(), *page_shell_routes()]


@contextlib.asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Begin to read with the server, and end with it what it has started.

    Raises:
        NoTokenError: Others could reach the server, and the store has no token.
        InvalidSettingError: An environment variable that bounds the API is no number.
    """
    settings()
    require_token(open_files(resolve_store_location(None)), _address())
    warming = threading.Thread(target=warm_up, name="modelkb-warm-up", daemon=True)
    warming.start()
    # Who is told that the server is there finds it ready, unless the store takes its time.
    await run_in_threadpool(warming.join, _LONGEST_WARM_UP_SECONDS)
    try:
        yield
    finally:
        for end in (REPRODUCTIONS.stop_all, write_waiting_predictions, close_audit):
            await run_in_threadpool(end)
