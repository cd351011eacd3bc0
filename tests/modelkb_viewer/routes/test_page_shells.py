from __future__ import annotations

import pytest
from starlette.applications import Starlette

from asgi_answer import answer_of
from modelkb_viewer.addresses import COMPARE_PATH, EXPERIMENT_PATH, PROJECT_PATH
from modelkb_viewer.routes.page_shells import page_shell_routes


@pytest.mark.parametrize("path", [PROJECT_PATH, EXPERIMENT_PATH, f"lab/kb/{COMPARE_PATH}"])
def test_pages_are_told_where_the_server_is(path: str) -> None:
    answer = answer_of(Starlette(routes=page_shell_routes()), f"/{path}")

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    # Before any script of the front end's.
    assert answer.text.index("BACKEND_BASE_URL") < answer.text.index("<script type=")
    assert answer.text.count("<head>") == 1
