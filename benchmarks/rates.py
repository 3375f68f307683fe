"""From a position that moves to a rate, with one rule for everybody."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.errors import TooSlowError

WARM_UP_SHARE = 0.1
"""The first tenth is not measured: processes start, groups form, caches fill."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a position moved.

    Args:
        per_second: records a second from the first look at or past a tenth of the log to its end.
        share: how much of the log that was. A contestant that commits seldom shows little of it.
        seconds: how long that took.
    """

    per_second: float
    share: float
    seconds: float


def watch(
    position: Callable[[], int],
    total: int,
    *,
    deadline_seconds: float,
    check: Callable[[], None] = lambda: None,
    pause_seconds: float = 0.05,
) -> Rate:
    """Look at a position until it reaches the end.

    Args:
        position: records done so far; never goes back.
        total: records in all.
        deadline_seconds: how long to look at most.
        check: raises where there is nothing to wait for any more.
        pause_seconds: between two looks.

    Raises:
        TooSlowError: the end was not reached in time.
    """
    began = time.monotonic()
    before, first = (began, 0), None
    while True:
        reached = position()
        now = time.monotonic()
        if reached >= total:
            since, start = first or before
            return Rate((total - start) / (now - since), (total - start) / total, now - since)
        if first is None and reached >= WARM_UP_SHARE * total:
            first = now, reached
        before = (now, reached)
        if now - began > deadline_seconds:
            raise TooSlowError(f"{reached} of {total} records after {deadline_seconds:.0f} s")
        check()
        time.sleep(pause_seconds)
