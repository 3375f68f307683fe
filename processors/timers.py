"""When which key is due: a heap that is only approximately right, and asks again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

_SLACK = 1000
"""Entries of the heap that count for nothing may be as many as those that do, and so many more."""


class Timers:
    """Due times of keys.

    Activity moves a due time later, far more often than it fires: so a key is filed once, and whoever finds it due
    works out the true time and files it again.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, bytes]] = []
        self._filed: dict[bytes, datetime] = {}

    def __len__(self) -> int:
        """How many entries are kept, those that count for nothing included."""
        return len(self._heap)

    def file(self, key: bytes, due_at: datetime) -> None:
        """Have the key come up at `due_at`, unless it comes up earlier anyway."""
        filed = self._filed.get(key)
        if filed is None or due_at < filed:
            self._filed[key] = due_at
            heapq.heappush(self._heap, (due_at, key))
            self._tidy()

    def forget(self, key: bytes) -> None:
        """Unfile a key that is gone: one that left early must not be kept here until its time."""
        if self._filed.pop(key, None) is not None:
            self._tidy()

    def _tidy(self) -> None:
        """Drop what counts for nothing any more, once that is worth it."""
        if len(self._heap) > 2 * len(self._filed) + _SLACK:
            self._heap = [(due_at, key) for key, due_at in self._filed.items()]
            heapq.heapify(self._heap)

    def due(self, now: datetime, most: int) -> Iterator[bytes]:
        """Yield at most so many keys that may be due, and unfile them."""
        for _ in range(most):
            while self._heap and self._filed.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)
            if not self._heap or self._heap[0][0] > now:
                return
            _, key = heapq.heappop(self._heap)
            del self._filed[key]
            yield key
