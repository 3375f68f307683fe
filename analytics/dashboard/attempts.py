"""How often somebody may try to log in."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

MOST_ATTEMPTS = 10
MOST_OF_ALL = 200
WITHIN_SECONDS = 60.0
_MOST_ADDRESSES = 10_000


class Attempts:
    """Counts what failed within a minute, by address and in all. Keys cannot be guessed; the database shall not suffer.

    Args:
        clock: seconds, only growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=MOST_OF_ALL)

    def wait_seconds(self, address: str) -> float:
        """Say how long this address has to wait; 0 where it may try."""
        return max(
            self._wait(self._failed.get(address, deque()), MOST_ATTEMPTS),
            self._wait(self._all, MOST_OF_ALL),
        )

    def note_failure(self, address: str) -> None:
        """Count a failed attempt, or one that begins: of many at once nobody knows yet which fail."""
        now = self._clock()
        self._all.append(now)
        self._failed.setdefault(address, deque(maxlen=MOST_ATTEMPTS)).append(now)
        self._failed.move_to_end(address)
        if len(self._failed) > _MOST_ADDRESSES:
            self._failed.popitem(last=False)

    def take_back(self, address: str) -> None:
        """Count the latest attempt of an address no more: it did not fail."""
        for attempts in (self._all, self._failed.get(address)):
            if attempts:
                attempts.pop()

    def _wait(self, failed: deque[float], most: int) -> float:
        if len(failed) < most:
            return 0.0
        return max(0.0, failed[0] + WITHIN_SECONDS - self._clock())
