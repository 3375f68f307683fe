from __future__ import annotations

import asyncio

import pytest

from runledger.analytics.dashboard.drawn import FRESH_SECONDS, REST, DrawnPages
from tests.unit.analytics.dashboard.test_sessions import Clock


class Drawing:
    """Draws pages that say which time it is; each takes as long as it is told."""

    def __init__(self, clock: Clock, seconds: float = 0.0) -> None:
        self.times = 0
        self._clock = clock
        self._seconds = seconds

    async def __call__(self) -> bytes:
        self.times += 1
        await asyncio.sleep(0)
        self._clock.now += self._seconds
        return str(self.times).encode()


async def test_a_page_is_drawn_once_for_all_who_ask_at_once() -> None:
    clock = Clock()
    pages, draw = DrawnPages(clock=clock), Drawing(clock)
    got = await asyncio.gather(*(pages.get("page", 1, draw) for _ in range(10)))
    assert {one.body for one in got} == {b"1"}
    assert draw.times == 1


async def test_a_drawn_page_is_given_again_for_a_second_unless_something_changed() -> None:
    clock = Clock()
    pages, draw = DrawnPages(clock=clock), Drawing(clock)
    await pages.get("page", 1, draw)
    clock.now = FRESH_SECONDS - 0.01
    assert (await pages.get("page", 1, draw)).body == b"1"
    assert (await pages.get("page", 2, draw)).body == b"2"
    clock.now = 2 * FRESH_SECONDS
    assert (await pages.get("page", 2, draw)).body == b"3"


async def test_what_took_long_is_drawn_seldom_and_says_how_old_it_is() -> None:
    clock = Clock()
    pages, draw = DrawnPages(clock=clock), Drawing(clock, seconds=4.0)
    await pages.get("page", 1, draw)
    clock.now = 4.0 + REST * 4.0 - 0.01
    old = await pages.get("page", 2, draw)
    assert (old.body, old.version) == (b"1", 1)
    clock.now = 4.0 + REST * 4.0
    assert (await pages.get("page", 2, draw)).version == 2


async def test_pages_of_different_people_are_different_pages() -> None:
    clock = Clock()
    pages, draw = DrawnPages(clock=clock), Drawing(clock)
    assert (await pages.get(("acme", "/"), 1, draw)).body == b"1"
    assert (await pages.get(("other", "/"), 1, draw)).body == b"2"


async def test_a_failure_is_told_to_all_and_not_remembered() -> None:
    async def fail() -> bytes:
        raise ConnectionError("away")

    clock = Clock()
    pages = DrawnPages(clock=clock)
    told = await asyncio.gather(*(pages.get("page", 1, fail) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, ConnectionError) for one in told)
    assert (await pages.get("page", 1, Drawing(clock))).body == b"1"


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    clock = Clock()
    pages, draw = DrawnPages(clock=clock), Drawing(clock)
    leaving = asyncio.create_task(pages.get("page", 1, draw))
    staying = asyncio.create_task(pages.get("page", 1, draw))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).body == b"1"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_memory_is_bounded() -> None:
    clock = Clock()
    pages, draw = DrawnPages(most=2, clock=clock), Drawing(clock)
    for key in ("a", "b", "c", "a"):
        await pages.get(key, 1, draw)
    assert draw.times == 4


async def test_large_pages_leave_room_for_few() -> None:
    clock = Clock()
    pages, drawn = DrawnPages(clock=clock, most_bytes=2500), 0

    async def draw() -> bytes:
        nonlocal drawn
        drawn += 1
        return bytes(1000)

    for key in ("a", "b", "b", "c", "c", "b", "a"):
        await pages.get(key, 1, draw)
    assert drawn == 4
    small = DrawnPages(clock=clock, most_bytes=500)
    assert len((await small.get("a", 1, draw)).body) == 1000
