from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from modelkb_callbacks.datasets.batch_feed import BatchFeed


def test_every_batch_arrives_in_order_as_it_was_when_it_was_put() -> None:
    seen: list[float] = []
    feed = BatchFeed(lambda x, y: seen.append(float(x[0][0] + y[0][0])))
    buffer = np.zeros(1)
    for number in range(50):
        buffer[0] = number  # as a generator that fills one array again and again
        feed.put([buffer], [np.zeros(1)])
    feed.close()
    assert seen == list(range(50))
    assert feed.problem is None


def test_the_queue_is_bounded_and_the_training_waits() -> None:
    go_on, kept = threading.Event(), []
    feed = BatchFeed(lambda x, y: (go_on.wait(20), kept.append(x))[1])
    put: list[int] = []

    def train() -> None:
        for number in range(30):
            feed.put([np.zeros(1)], [])
            put.append(number)

    training = threading.Thread(target=train)
    training.start()
    training.join(0.3)
    assert training.is_alive()
    assert len(put) < 10
    go_on.set()
    training.join(20)
    feed.close()
    assert len(kept) == 30


@pytest.mark.parametrize("where", ["in the thread", "when put"])
def test_what_fails_is_kept_and_blocks_nobody(where: str) -> None:
    calls = []

    def fail(x: list[Any], y: list[Any]) -> None:
        calls.append(1)
        raise ValueError("no such rows")

    class Unruly:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise ValueError("no such rows")

    feed = BatchFeed(fail if where == "in the thread" else lambda x, y: None)
    batch = np.zeros(1) if where == "in the thread" else Unruly()
    for _ in range(50):
        feed.put([batch], [])
    feed.close()
    assert feed.problem == "no such rows"
    assert len(calls) <= 1


def test_closing_leaves_no_thread() -> None:
    before = threading.active_count()
    feed = BatchFeed(lambda x, y: None)
    feed.close()
    feed.put([np.zeros(1)], [])
    assert threading.active_count() == before + 1
    feed.close()
    feed.close()
    assert threading.active_count() == before
