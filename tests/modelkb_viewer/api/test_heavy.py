from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.heavy import Places, heavy_places
from modelkb_viewer.api.problems import RefusedError
from small_experiment import record_complete_experiment
from store_server import StoreServer

ENDLESS = "select count(*) from range(1000000000) a, range(100000) b"


def test_who_finds_no_place_waits_a_little() -> None:
    async def main() -> list[int | str]:
        places, seen = Places(2, waiting_seconds=0.1), []

        async def work(number: int, seconds: float) -> None:
            try:
                async with places.hold():
                    await asyncio.sleep(seconds)
                    seen.append(number)
            except RefusedError as error:
                seen.append(error.detail.partition(".")[0])

        await asyncio.gather(work(0, 0.3), work(1, 0.05), work(2, 0.3), work(3, 0.3))
        await work(4, 0)
        return list(seen)

    assert asyncio.run(main()) == [1, "The server answers others", 0, 2, 4]


def test_a_place_is_free_again_after_an_error() -> None:
    async def main() -> None:
        places = Places(1, waiting_seconds=0.1)
        for _ in range(3):
            with pytest.raises(ValueError, match="mine"):
                async with places.hold():
                    raise ValueError("mine")

    asyncio.run(main())


def test_the_heavy_routes_are_there() -> None:
    """Each pattern is of some route: a route that is renamed is not forgotten."""
    described = make_api().openapi()["paths"]
    routes = [f"{m.upper()} {path}" for path, methods in described.items() for m in methods]
    for pattern, _ in heavy_places():
        assert [each for each in routes if pattern.fullmatch(each)], pattern
    light = re.compile("GET /(projects|experiments|experiments/{experiment_id}/metrics)")
    assert not [
        each
        for each in routes
        if light.fullmatch(each) and any(p.fullmatch(each) for p, _ in heavy_places())
    ]


def test_places_are_given_back(ask: TestClient) -> None:
    # One more than there are places in all, one after the other.
    for _ in range(20):
        assert ask.post("/sql", json={"query": "select 1 as x"}).status_code == 200
        assert ask.post("/sql", json={"query": "select"}).status_code == 400


@pytest.mark.slow
def test_light_reads_pass_by_heavy_queries(store: Path) -> None:
    record_complete_experiment(store)
    server = StoreServer(store, {"MODELKB_SQL_TIMEOUT_SECONDS": "3"})
    server.start()
    try:
        with ThreadPoolExecutor(60) as threads:
            heavy = [threads.submit(_sql, server.address) for _ in range(45)]
            light = [threads.submit(_read, server.address) for _ in range(30)]
            assert [each.result() for each in light] == [200] * 30
            assert not all(each.done() for each in heavy)
            statuses = [each.result() for each in heavy]
        # Those that had a place were ended; the others were told to come again.
        assert 422 in statuses
        assert set(statuses) <= {422, 503}
    finally:
        server.stop()


def _sql(address: str) -> int:
    return httpx2.post(
        f"{address}/api/v1/sql", json={"query": ENDLESS}, timeout=60, trust_env=False
    ).status_code


def _read(address: str) -> int:
    return httpx2.get(f"{address}/api/v1/projects", timeout=60, trust_env=False).status_code
