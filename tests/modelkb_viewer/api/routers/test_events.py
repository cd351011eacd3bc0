from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_viewer.api.authentication import Requester
from modelkb_viewer.api.routers import events
from modelkb_viewer.tokens import Scope, Tokens

ADMIN = Requester(Scope.ADMIN)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SECONDS_BETWEEN_LOOKS", 0.01)


@pytest.fixture
def run(ask: TestClient) -> str:
    return str(ask.post("/experiments", json={"project": "by hand"}).json()["experiment_id"])


def add(ask: TestClient, run: str, split: str, *epochs: int) -> None:
    points = [{"metric": "loss", "epoch": e, "value": 0.5, "split": split} for e in epochs]
    answer = ask.post(f"/experiments/{run}/metrics", json={"points": points})
    assert answer.json()["added"] == len(epochs)


def followed(
    store: Path,
    run: str,
    *steps: Callable[[], Any],
    last: str = "",
    who: Requester = ADMIN,
) -> list[tuple[str, Any]]:
    """Return what is sent, where something happens after each message with metrics."""

    async def follow() -> list[tuple[str, Any]]:
        opened, waiting = Store(store), list(steps)
        got: list[tuple[str, Any]] = []
        async for event in events.follow_experiment(opened, opened.experiment(run), who, last):
            if event.event == "metrics":
                got.append(("metrics", [(row["split"], row["epoch"]) for row in event.data]))
                got[-1] += (event.id,)
            else:
                got.append((str(event.event), event.data))
            if event.event == "status" or (event.event == "metrics" and len(got) > 2):
                if not waiting:
                    return got
                await asyncio.to_thread(waiting.pop(0))
        return got

    return asyncio.run(asyncio.wait_for(follow(), 20))


def metrics(sent: list[Any]) -> list[Any]:
    return [each[1] for each in sent if each[0] == "metrics"]


def test_what_belongs_before_rows_that_were_sent_is_sent(
    ask: TestClient, store: Path, run: str
) -> None:
    add(ask, run, "train", 0, 1)
    sent = followed(
        store, run, lambda: add(ask, run, "validation", 0), lambda: add(ask, run, "train", 2)
    )
    assert metrics(sent) == [
        [("train", 0), ("train", 1)],
        [("validation", 0)],
        [("train", 2)],
    ]
    assert "restart" not in [each[0] for each in sent]


def test_who_comes_again_gets_what_was_missed(ask: TestClient, store: Path, run: str) -> None:
    add(ask, run, "train", 0, 1)
    last = followed(store, run)[0][2]
    add(ask, run, "train", 2)
    assert metrics(followed(store, run, last=last)) == [[("train", 2)]]


@pytest.mark.parametrize("last", ["", "2", "nothing", "9-00000000"])
def test_who_comes_again_with_another_state_gets_all(
    ask: TestClient, store: Path, run: str, last: str
) -> None:
    add(ask, run, "train", 0, 1)
    known = last or followed(store, run)[0][2]
    add(ask, run, "validation", 0)  # before a row that is known
    sent = followed(store, run, last=known)
    assert sent[0] == ("restart", {})
    assert sorted(metrics(sent)[0]) == [("train", 0), ("train", 1), ("validation", 0)]


def test_it_ends_with_the_run(ask: TestClient, run: str) -> None:
    add(ask, run, "train", 0)
    ask.post(f"/experiments/{run}/end", json={})
    text = ask.get(f"/experiments/{run}/events").text
    assert text.count("event: metrics") == 1
    assert '"finished"' in text
    last = text.partition("id: ")[2].split()[0]
    again = ask.get(f"/experiments/{run}/events", headers={"Last-Event-ID": last}).text
    assert "event: metrics" not in again


def test_it_ends_with_the_token(ask: TestClient, store: Path, run: str) -> None:
    tokens = Tokens(Store(store).files)
    token, _ = tokens.create("short", Scope.READ)
    other, text = tokens.create("other", Scope.WRITE)
    who = Requester(token.scope, token.project, token.token_id, token.name)
    ask.headers["Authorization"] = f"Bearer {text}"

    def revoke() -> None:
        tokens.revoke(token.token_id)
        add(ask, run, "train", 0)

    assert [each[0] for each in followed(store, run, revoke, who=who)] == ["status"]
    assert tokens.all() == [other]


def test_it_ends_for_who_has_no_token_where_one_is_needed_now(
    ask: TestClient, store: Path, run: str
) -> None:
    sent = followed(store, run, lambda: Tokens(Store(store).files).create("first", Scope.ADMIN))
    assert [each[0] for each in sent] == ["status"]
