"""The viewer as one server: Streamlit's pages, and routes of our own beside them.

``viewer/streamlit_app.py`` and `modelkb view` make a ``streamlit.App`` of what is here.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from modelkb_viewer.reproduction_jobs import REPRODUCTIONS
from modelkb_viewer.routes.architectures import architecture_route
from modelkb_viewer.routes.netron import netron_route
from modelkb_viewer.routes.page_shells import page_shell_routes
from modelkb_viewer.routes.security_headers import SecurityHeaders
from modelkb_viewer.warm_up import warm_up

SCRIPT = Path(__file__).parent / "pages/script.py"
MIDDLEWARE = [Middleware(SecurityHeaders)]
# The same as in viewer/.streamlit/config.toml, which `streamlit run viewer` reads.
SETTINGS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.maxUploadSize": 200,
    # Python collects by itself; after each look, and each second while a run is followed, it costs
    # more than all else.
    "runner.postScriptGC": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}


def routes() -> list[BaseRoute]:
    """Return what is served beside the pages, below whatever ``server.baseUrlPath`` there is."""
    return [netron_route(), architecture_route(), *page_shell_routes()]


@contextlib.asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Begin to read with the server, and end with it what it has started."""
    threading.Thread(target=warm_up, name="modelkb-warm-up", daemon=True).start()
    try:
        yield
    finally:
        await run_in_threadpool(REPRODUCTIONS.stop_all)
