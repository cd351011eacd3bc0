from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from modelkb_viewer.api.application import PATH, make_api
from modelkb_viewer.api.unknown_paths import nearest_path
from modelkb_viewer.routes.whole_paths import WholePaths

TEMPLATES = [
    "/experiments",
    "/experiments/{experiment_id}",
    "/experiments/{experiment_id}/metrics",
    "/experiments/{experiment_id}/batch-metrics",
    "/experiments/{experiment_id}/tables/{table}",
    "/projects/{project}",
    "/objects/{path}",
]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/experimnts", "/experiments"),
        ("/experiment/a b", "/experiments/a b"),
        ("/experiments/x/metrcs", "/experiments/x/metrics"),
        ("/experiments/x/batch_metrics", "/experiments/x/batch-metrics"),
        ("/experiment/x/table/metrics", "/experiments/x/tables/metrics"),
        ("/experiments/x/weights", None),
        ("/experiments//metrcs", None),
        ("/objects/a\nb", None),
        ("/", None),
        ("", None),
        ("/x" * 100_000, None),
        ("/experiments/" + "x" * 100_000 + "/metrcs", None),
    ],
)
def test_the_nearest_path_has_what_was_given(path: str, nearest: str | None) -> None:
    assert nearest_path(path, TEMPLATES) == nearest


@pytest.fixture
def client() -> TestClient:
    """Asks the API where it is served."""
    return TestClient(Starlette(routes=[WholePaths(f"/lab{PATH}", app=make_api())]))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_is_not_there_is_named_with_the_nearest_one(
    client: TestClient, method: str
) -> None:
    answer = client.request(method, f"/lab{PATH}/experimnts?x=1")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == (
        "There is no path '/lab/api/v1/experimnts'. Did you mean /lab/api/v1/experiments? "
        "All paths are described at /lab/api/v1/docs."
    )


def test_what_is_suggested_can_be_asked_for(client: TestClient) -> None:
    detail = client.get(f"/lab{PATH}/experiment/a%0A%C3%BC/metrics").json()["detail"]
    assert "Did you mean /lab/api/v1/experiments/a%0A%C3%BC/metrics?" in detail
    assert client.get(f"/lab{PATH}/docs").status_code == 200


def test_a_long_path_is_named_in_short(client: TestClient) -> None:
    answer = client.get(f"/lab{PATH}/{'x' * 10_000}")
    assert answer.status_code == 404
    assert len(answer.content) < 1000


def test_a_socket_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"/lab{PATH}/events"):
        pass
