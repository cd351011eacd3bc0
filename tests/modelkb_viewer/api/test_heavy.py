from __future__ import annotations

import asyncio
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Send

from modelkb_viewer.api import heavy
from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.heavy import Places, heavy_places, sending_places
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


def test_what_is_slow_gives_its_place_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy, "_SLOW_SECONDS", 0.1)

    async def main() -> list[int | str]:
        places, seen = Places(1, waiting_seconds=1.5, most_slow=1), []

        async def work(number: int, seconds: float) -> None:
            try:
                async with places.hold():
                    await asyncio.sleep(seconds)
                    seen.append(number)
            except RefusedError:
                seen.append("refused")

        # Two are slow; those behind them wait until one has ended, and no longer.
        await asyncio.gather(work(0, 2.5), work(1, 0.5), work(2, 0), work(3, 0), work(4, 0))
        first = list(seen)
        # All places are as they were: one is at work, however many have been slow.
        await asyncio.gather(work(5, 0.05), work(6, 0), work(7, 0.05), work(8, 0))
        # And both places may be slow again, so that others are refused.
        await asyncio.gather(work(9, 2.5), work(10, 2.5), work(11, 0))
        assert first == [1, 2, 3, 4, 0]
        return seen[5:]

    assert asyncio.run(main()) == [5, 6, 7, 8, "refused", 9, 10]


def test_who_gives_up_leaves_no_place_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy, "_SLOW_SECONDS", 0.001)

    async def main() -> None:
        places = Places(1, waiting_seconds=1, most_slow=2)

        async def work(seconds: float) -> None:
            async with places.hold():
                await asyncio.sleep(seconds)

        draw = random.Random(0)
        for _ in range(200):
            tasks = [asyncio.ensure_future(work(draw.random() / 200)) for _ in range(5)]
            await asyncio.sleep(draw.random() / 200)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert places._free._value == 1
        assert places._more_slow._value == 2

    asyncio.run(main())


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
    for pattern, _ in [*heavy_places(), *sending_places()]:
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


def test_who_reads_slowly_keeps_no_place(
    ask: TestClient, experiment_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "_WAITING_SECONDS", 0.5)
    api = make_api()
    downloads = [f"/experiments/{experiment_id}/checkpoints/end/weights"] * 6
    script = f"/experiments/{experiment_id}/script"

    async def main() -> int:
        began = asyncio.Semaphore(0)

        async def never_read(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
            else:
                began.release()
                await asyncio.Event().wait()

        slow = [asyncio.create_task(_asked(api, path, never_read)) for path in downloads]
        for _ in slow:
            await asyncio.wait_for(began.acquire(), 20)
        statuses: list[int] = []

        async def read(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await _asked(api, script, read)
        for each in slow:
            each.cancel()
        await asyncio.wait(slow)
        return statuses[0]

    assert asyncio.run(main()) == 200


def test_downloads_are_bounded_until_they_are_sent(
    ask: TestClient, experiment_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made for an answer is on the disk until then."""
    api = make_api()
    api.state.sending_places = [(re.compile("GET .*/weights"), Places(0, waiting_seconds=0.1))]
    client = TestClient(api)
    path = f"/experiments/{experiment_id}/checkpoints/end/weights"
    assert client.get(path).status_code == 503
    assert client.get(f"/experiments/{experiment_id}/script").status_code == 200
    assert [pattern.pattern for pattern, _ in sending_places()] == ["GET .*/checkpoints/.+"]


async def _asked(api: ASGIApp, path: str, send: Send) -> None:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "headers": [(b"host", b"h")], "client": ("127.0.0.1", 1),
        "server": ("h", 1), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    await api(scope, receive, send)


@pytest.mark.slow
def test_light_reads_pass_by_heavy_queries(store: Path) -> None:
    record_complete_experiment(store)
    server = StoreServer(store, {"MODELKB_SQL_TIMEOUT_SECONDS": "3"})
    server.start()
    try:
        with ThreadPoolExecutor(60) as threads:
            queries = [threads.submit(_sql, server.address) for _ in range(45)]
            light = [threads.submit(_read, server.address) for _ in range(30)]
            assert [each.result() for each in light] == [200] * 30
            assert not all(each.done() for each in queries)
            statuses = [each.result() for each in queries]
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
