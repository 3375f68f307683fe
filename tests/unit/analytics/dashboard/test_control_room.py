"""Looks behind the scenes, for everybody at once."""

from __future__ import annotations

import asyncio
import threading
import time

from runledger.analytics.dashboard.backstage import BrokerLook, LettersLook, Replay, Word, WorkerLook
from runledger.analytics.dashboard.control_room import ControlRoom
from runledger.analytics.dashboard.glimpses import LookError


class Behind:
    """A scene that a test sets; counts how often each part is looked at."""

    def __init__(self) -> None:
        self.is_away = False
        self.gate = threading.Event()
        self.gate.set()
        self.looks = {"broker": 0, "letters": 0}

    def look_at_broker(self) -> BrokerLook:
        self.looks["broker"] += 1
        assert self.gate.wait(20)
        if self.is_away:
            raise LookError("the broker is away")
        return BrokerLook({("run-events", 0): 5 + self.looks["broker"]}, {}, {}, {})

    def look_at_workers(self) -> tuple[WorkerLook, ...]:
        return (WorkerLook("sink", None),)

    def look_at_letters(self) -> LettersLook:
        self.looks["letters"] += 1
        return LettersLook((), is_whole=True)

    def replay(self, project_key: str, place: str, by: str) -> Replay:
        raise AssertionError("a look changes nothing")

    def resolve(self, project_key: str, word: Word) -> None:
        raise AssertionError("a look changes nothing")


async def test_many_viewers_share_one_look() -> None:
    behind = Behind()
    room = ControlRoom(behind, "runledger.")
    seen = await asyncio.gather(*(room.look() for _ in range(10)))
    assert behind.looks == {"broker": 1, "letters": 1}
    broker, workers, letters = seen[9]
    assert broker.seen is not None
    assert (broker.trouble, workers.seen) == ("", (WorkerLook("sink", None),))
    assert letters.seen == LettersLook((), is_whole=True)


async def test_nobody_waits_long_for_a_broker_that_hangs() -> None:
    behind = Behind()
    behind.gate.clear()
    room = ControlRoom(behind, "runledger.")
    began = time.monotonic()
    broker, _, letters = await room.look()
    assert time.monotonic() - began < 2
    behind.gate.set()
    assert (broker.is_waiting, letters.seen) == (True, LettersLook((), is_whole=True))


async def test_of_a_broker_that_is_away_no_letters_are_asked() -> None:
    behind = Behind()
    behind.is_away = True
    now = 0.0
    room = ControlRoom(behind, "runledger.", clock=lambda: now)
    await room.look()
    broker, workers, letters = await room.look()
    assert (broker.trouble, letters.trouble) == ("the broker is away", "the broker is away")
    assert workers.trouble == ""
    assert behind.looks["letters"] == 1


async def test_ends_are_settled_once_the_tables_have_come_so_far() -> None:
    behind = Behind()
    now = 100.0
    room = ControlRoom(behind, "runledger.", clock=lambda: now)
    await room.look()
    assert room.settled(None) == {}
    now = 110.0
    assert room.settled(9.5) == {}
    assert room.settled(8.0) == {("run-events", 0): 6}
