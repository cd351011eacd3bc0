from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from starlette.testclient import TestClient

from modelkb_viewer.api.problems import describe_problems
from modelkb_viewer.api.query_parameters import check_query, query_parameters
from modelkb_viewer.tokens import Scope

Ask = Callable[..., TestClient]


class Page(BaseModel):
    """A model of parameters."""

    offset: int = 0
    limit: int = 10


def of_project(project: str = "", other: Annotated[str, Query(alias="from")] = "") -> str:
    return project + other


def sorted_by(order_by: str = "") -> str:
    return order_by


@pytest.fixture
def api() -> FastAPI:
    """An application with each way of saying which parameters there are."""
    api = FastAPI(dependencies=[Depends(check_query), Depends(sorted_by)])
    describe_problems(api)

    @api.get("/pages/{number}")
    def read(
        number: int,
        page: Annotated[Page, Query()],
        whole: Annotated[str, Depends(of_project)],
        name: Annotated[list[str] | None, Query()] = None,
    ) -> None: ...

    api.state.query_parameters = query_parameters(api)
    return api


def test_parameters_of_models_and_of_dependencies_are_known(api: FastAPI) -> None:
    (known,) = (names for call, names in query_parameters(api).items() if call.__name__ == "read")
    assert set(known) == {"order_by", "project", "from", "name", "offset", "limit"}
    query = "order_by=x&project=x&from=x&name=x&name=y&offset=1&limit=2"
    assert TestClient(api).get(f"/pages/1?{query}").status_code == 200


@pytest.mark.parametrize("name", ["other", "number", "page", "Limit", ""])
def test_others_are_not(api: FastAPI, name: str) -> None:
    answer = TestClient(api).get("/pages/1", params={name: "1"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == f"query.{name}"


def test_a_mistyped_parameter_is_refused_with_the_nearest_one(ask: TestClient) -> None:
    answer = ask.get("/experiments?limt=5&limit=1")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    text = "There is no such parameter here. Did you mean `limit`?"
    text += " There are `project`, `where`, `order_by`, `offset`, `limit`."
    assert answer.json()["detail"] == f"query.limt: {text}"
    assert answer.json()["errors"] == [{"location": "query.limt", "problem": text}]


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/comparison?experiment=a,b", "Did you mean `experiments`?"),
        ("GET", "/experiments/nothing/metrics?nam=loss", "Did you mean `name`?"),
        ("PUT", "/logs/x/0?projekt=digits&offset=0", "Did you mean `project`?"),
        ("GET", "/projects?limit=5", "There are none."),
        ("HEAD", "/objects/files/ab/abab?x=1", ""),
    ],
)
def test_every_route_is_strict(ask: TestClient, method: str, path: str, said: str) -> None:
    answer = ask.request(method, path)
    assert answer.status_code == 422
    assert said in answer.text


def test_the_documentation_and_what_looks_after_servers_is_not(ask: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/health", "/prometheus"):
        assert ask.get(f"{path}?version=2").status_code == 200


def test_a_query_of_much_else_is_answered_in_short(ask: TestClient) -> None:
    names = [f"limit{number}" for number in range(1000)]
    answer = ask.get("/experiments", params={"y" * 5000: "1", **dict.fromkeys(names, "1")})
    assert answer.status_code == 422
    assert 1 < len(answer.json()["errors"]) < 100
    assert len(answer.content) < 10_000


def test_who_asks_is_told_first(ask_as: Ask) -> None:
    client = ask_as(Scope.READ)
    assert client.get("/experiments?limt=5").status_code == 422
    assert TestClient(client.app).get("/experiments?limt=5").status_code == 401
