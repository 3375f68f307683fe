"""What the pipeline's page sees behind the scenes: looks that all viewers share, and how the logs grew lately."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends, Request

from runledger.analytics.dashboard.backstage import Backstage, BrokerLook, LettersLook, Partition, WorkerLook
from runledger.analytics.dashboard.course import Course
from runledger.analytics.dashboard.glimpses import Glimpse, Looker

_BROKER_SECONDS = 2.0
_WORKERS_SECONDS = 5.0
_LETTERS_SECONDS = 5.0
_PATIENCE_SECONDS = 0.8
"""A page waits no longer for anything that is not in the tables."""
_SLACK_SECONDS = 1.0
"""By so much the watermark is taken to be older: the clocks of two machines differ."""
_FOLLOWED_SECONDS = 5.0
_REMEMBERED_SECONDS = 15 * 60.0
"""So long after somebody looked the logs' growth is noted: who comes back finds a curve."""


class ControlRoom:
    """Looks through the front door's eyes, for all viewers at once. One per process.

    Args:
        backstage: looks, and changes.
        topic_prefix: with which the ledger's topics begin.
        clock: seconds, only growing.
    """

    def __init__(self, backstage: Backstage, topic_prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.backstage = backstage
        self.topic_prefix = topic_prefix
        self.course = Course()
        self._clock = clock
        self._asked_at = float("-inf")
        self._broker = Looker(
            "broker", self._look_at_broker, fresh_seconds=_BROKER_SECONDS, patience_seconds=_PATIENCE_SECONDS
        )
        self._workers = Looker(
            "workers", backstage.look_at_workers, fresh_seconds=_WORKERS_SECONDS, patience_seconds=_PATIENCE_SECONDS
        )
        self.letters = Looker(
            "letters", backstage.look_at_letters, fresh_seconds=_LETTERS_SECONDS, patience_seconds=_PATIENCE_SECONDS
        )
        """`forget` after one was replayed."""

    def _look_at_broker(self) -> BrokerLook:
        began_at = self._clock()
        look = self.backstage.look_at_broker()
        self.course.note(began_at, look)
        return look

    async def look(self) -> tuple[Glimpse[BrokerLook], Glimpse[tuple[WorkerLook, ...]], Glimpse[LettersLook]]:
        """Give what is known of broker, workers and dead letters; takes less than a second, whatever is away."""
        self._asked_at = self._clock()
        # Dead letters are asked of the same broker: where it does not answer, nobody waits for them, too.
        broker, workers, letters = await asyncio.gather(
            self._broker.get(), self._workers.get(), self._look_at_letters(self._broker.trouble)
        )
        return broker, workers, self.letters.known(broker.trouble) if broker.trouble else letters

    async def _look_at_letters(self, trouble: str) -> Glimpse[LettersLook]:
        return self.letters.known(trouble) if trouble else await self.letters.get()

    def settled(self, lag_seconds: float | None) -> Mapping[Partition, int]:
        """Say where logs ended when everything in them was last known to stand in the tables.

        Args:
            lag_seconds: how long ago that was; None where nobody knows.
        """
        return {} if lag_seconds is None else self.course.ends_before(self._clock() - lag_seconds - _SLACK_SECONDS)

    async def follow(self) -> None:
        """Note how the logs grow, as long as somebody looked lately; until cancelled."""
        while True:
            await asyncio.sleep(_FOLLOWED_SECONDS)
            if self._clock() - self._asked_at < _REMEMBERED_SECONDS:
                await self._broker.get()


async def room_of(request: Request) -> ControlRoom:
    """Give the process's control room. Not blocking, so not a function for FastAPI to run in a thread."""
    room: ControlRoom = request.app.state.room
    return room


TheRoom = Annotated[ControlRoom, Depends(room_of)]
