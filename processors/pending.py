"""Fetched batches of one partition that wait to be committed, and when the next transaction may begin.

A transaction takes milliseconds of the broker's and of our CPU, whatever its size. So where little flows they keep a
distance; where much waits, or nothing flowed before, they begin at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from runledger.processors.records import Batch


@dataclass(frozen=True, slots=True)
class Pace:
    """How far apart the beginnings of two transactions of a partition are.

    Args:
        seconds: at least so far, while little waits.
        at_once_records: so many records are not little; a pause would hold back what is there already.
        at_once_bytes: the same, in bytes of their values.
    """

    seconds: float
    at_once_records: int
    at_once_bytes: int

    def seconds_left(self, since_began: float, records: int, size: int) -> float:
        """Seconds until so many records, of so many bytes, may be committed; 0 or less: now."""
        if records >= self.at_once_records or size >= self.at_once_bytes:
            return 0.0
        return self.seconds - since_began


class Pending:
    """The batches of one partition between their fetch and their transaction. For one event loop.

    Args:
        pace: of the transactions.
        most_records: whoever brings more waits for room.
        most_bytes: the same, in bytes of their values.
    """

    def __init__(self, pace: Pace, most_records: int, most_bytes: int) -> None:
        self._pace = pace
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._batches: list[Batch] = []
        self._records = self._bytes = 0
        self._began_at = float("-inf")
        self._closed = False
        self._changed, self._drained = asyncio.Event(), asyncio.Event()

    def __bool__(self) -> bool:
        """Whether a batch waits."""
        return bool(self._batches)

    async def room(self) -> None:
        """Return once there is room, or there will never be any need of it again."""
        while self._is_full() and not self._closed:
            self._drained.clear()
            await self._drained.wait()

    def _is_full(self) -> bool:
        return self._records > self._most_records or self._bytes > self._most_bytes

    def add(self, batch: Batch) -> None:
        """Take a batch."""
        self._batches.append(batch)
        self._records += len(batch.records)
        self._bytes += sum(len(record.value or b"") for record in batch.records)
        self._changed.set()

    def forget(self) -> list[Batch]:
        """Give up what waits, and return it."""
        batches, self._batches = self._batches, []
        self._records = self._bytes = 0
        self._drained.set()
        return batches

    def begin(self) -> list[Batch]:
        """Return what waits, for a transaction that begins now; nothing where it would come too soon."""
        if not self._batches or self._seconds_left() > 0:
            return []
        self._began_at = asyncio.get_running_loop().time()
        return self.forget()

    def _seconds_left(self) -> float:
        if self._is_full():
            return 0.0
        since_began = asyncio.get_running_loop().time() - self._began_at
        return self._pace.seconds_left(since_began, self._records, self._bytes)

    async def rest(self, until: float) -> None:
        """Return once a transaction may begin or it is `until` by the loop's clock; at once when closed."""
        await asyncio.sleep(0)  # where something is always due, others get their turn all the same
        while not self._closed:
            left = until - asyncio.get_running_loop().time()
            if self._batches:
                left = min(left, self._seconds_left())
            if left <= 0:
                return
            self._changed.clear()  # nothing is awaited since the look above, so no batch came between
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    def close(self) -> None:
        """Give up what waits, and let go of everybody who does."""
        self._closed = True
        self.forget()
        self._changed.set()
