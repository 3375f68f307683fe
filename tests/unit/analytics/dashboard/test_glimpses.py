"""One look for everybody, and nobody waits long for it."""

from __future__ import annotations

import asyncio
import threading

from runledger.analytics.dashboard.glimpses import Glimpse, Looker, LookError


class Window:
    """Something slow to look at; `seen` is what the next look sees, an error what it meets."""

    def __init__(self) -> None:
        self.looks = 0
        self.open = threading.Event()
        self.open.set()
        self.seen: str | Exception = "a"
        self.now = 0.0

    def look(self) -> str:
        self.looks += 1
        found = self.seen
        assert self.open.wait(10)
        if isinstance(found, Exception):
            raise found
        return found

    def looker(self, patience_seconds: float = 10) -> Looker[str]:
        return Looker("window", self.look, fresh_seconds=5, patience_seconds=patience_seconds, clock=lambda: self.now)


async def test_all_who_ask_at_once_and_soon_after_share_one_look() -> None:
    window = Window()
    looker = window.looker()
    assert await asyncio.gather(*(looker.get() for _ in range(5))) == [Glimpse("a", 0.0)] * 5
    window.now = 4.9
    assert await looker.get() == Glimpse("a", 4.9)
    assert window.looks == 1
    window.now, window.seen = 5.0, "b"
    assert await looker.get() == Glimpse("b", 0.0)


async def test_who_asks_waits_no_longer_than_its_patience_and_gets_what_was_seen_before() -> None:
    window = Window()
    looker = window.looker(patience_seconds=0.01)
    window.open.clear()
    assert await looker.get() == Glimpse(None, None, "", is_waiting=True)
    window.open.set()
    while (await looker.get()).is_waiting:
        pass
    window.open.clear()
    window.now, window.seen = 9.0, "b"
    assert await looker.get() == Glimpse("a", 9.0)
    assert await looker.get() == Glimpse("a", 9.0)
    assert window.looks == 2
    window.open.set()
    while (await looker.get()).seen == "a":
        pass


async def test_a_failed_look_is_shared_too_and_what_was_seen_before_stays_with_its_age() -> None:
    window = Window()
    looker = window.looker()
    await looker.get()
    window.now, window.seen = 6.0, LookError("the broker is away")
    assert await looker.get() == Glimpse("a", 6.0, "the broker is away")
    window.now = 10.0
    assert await looker.get() == Glimpse("a", 10.0, "the broker is away")
    assert window.looks == 2
    window.now, window.seen = 11.0, "b"
    assert await looker.get() == Glimpse("b", 0.0)


async def test_a_defect_is_told_by_its_name_and_hides_nothing_else() -> None:
    window = Window()
    window.seen = RuntimeError("secret")
    assert await window.looker().get() == Glimpse(None, None, "looking failed: RuntimeError")


async def test_what_is_known_is_given_without_a_look() -> None:
    window = Window()
    looker = window.looker()
    assert looker.known("not now") == Glimpse(None, None, "not now")
    await looker.get()
    window.now = 3.0
    assert looker.known("not now") == Glimpse("a", 3.0, "not now")
    assert window.looks == 1


async def test_after_a_change_of_ours_everybody_looks_anew_whatever_is_being_looked_at() -> None:
    window = Window()
    looker = window.looker(patience_seconds=0.01)
    window.open.clear()
    await looker.get()
    looker.forget()
    window.seen = "b"
    window.open.set()
    while (await looker.get()).seen != "b":
        pass
    assert window.looks == 2
    looker.forget()
    while window.looks < 3:
        await looker.get()
