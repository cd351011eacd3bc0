from __future__ import annotations

import asyncio
import threading

import pytest

from modelkb_viewer.api.shared_looks import SharedLooks


def test_those_who_ask_while_one_looks_share_the_next_look() -> None:
    looks: SharedLooks[int] = SharedLooks()
    began, may_end = threading.Event(), threading.Event()
    count = 0

    def look() -> int:
        nonlocal count
        count += 1
        mine = count
        began.set()
        may_end.wait(10)
        return mine

    async def ask() -> list[int]:
        first = asyncio.ensure_future(looks.get("a", look))
        await asyncio.to_thread(began.wait, 10)
        others = [asyncio.ensure_future(looks.get("a", look)) for _ in range(50)]
        await asyncio.sleep(0)
        assert count == 1  # nobody gets what was seen before it asked
        may_end.set()
        return await asyncio.gather(first, *others)

    assert asyncio.run(ask()) == [1] + [2] * 50
    assert count == 2


def test_what_is_wrong_is_told_to_all_and_not_kept() -> None:
    looks: SharedLooks[int] = SharedLooks()

    async def ask() -> None:
        asked = [looks.get("a", lambda: 1 // 0) for _ in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in found] == [ZeroDivisionError] * 3
        assert await looks.get("a", lambda: 5) == 5

    for _ in range(2):  # each in a loop of its own
        asyncio.run(ask())


def test_other_keys_are_looked_at_by_themselves() -> None:
    looks: SharedLooks[str] = SharedLooks()

    async def ask() -> list[str]:
        return list(await asyncio.gather(*(looks.get(k, lambda k=k: k * 2) for k in "abc")))

    assert asyncio.run(ask()) == ["aa", "bb", "cc"]


def test_who_leaves_does_not_take_the_look_from_others() -> None:
    looks: SharedLooks[int] = SharedLooks()
    may_end = threading.Event()

    def look() -> int:
        may_end.wait(10)
        return 7

    async def ask() -> int:
        leaving = asyncio.ensure_future(looks.get("a", look))
        staying = asyncio.ensure_future(looks.get("a", look))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        may_end.set()
        return await staying

    assert asyncio.run(ask()) == 7
