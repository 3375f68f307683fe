"""From a position that moves to a rate, with one rule for everybody."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.errors import TooSlowError

WARM_UP_SHARE = 0.1
"""The first tenth is not measured: processes start, groups form, caches fill."""
_MOST_UNSEEN_SHARE = 0.2
"""Whoever shows more at once has worked on it before: it is measured from the look before, its start included."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a position moved.

    Args:
        per_second: records a second, from when the first stage was a tenth through the log until all of it was done.
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
    begun: Callable[[], int] = lambda: 0,
    check: Callable[[], None] = lambda: None,
    pause_seconds: float = 0.05,
) -> Rate:
    """Look at a position until it reaches the end.

    The clock starts at the first look at which *any* stage is a tenth through the log, and counts the records that no
    stage had done by then: a pipeline whose first stage runs ahead of the last one gains nothing by it.

    Args:
        position: records done by every stage; never goes back.
        total: records in all.
        deadline_seconds: how long to look at most.
        begun: records done by the stage that is furthest, where there are several.
        check: raises where there is nothing to wait for any more.
        pause_seconds: between two looks.

    Raises:
        TooSlowError: the end was not reached in time.
    """
    began = time.monotonic()
    before, first = (began, 0), None
    while True:
        furthest, reached = begun(), position()
        look = (time.monotonic(), max(furthest, reached))
        if reached >= total:
            since, start = first or before
            return Rate((total - start) / (look[0] - since), (total - start) / total, look[0] - since)
        if first is None and look[1] >= WARM_UP_SHARE * total:
            first = before if look[1] - before[1] > _MOST_UNSEEN_SHARE * total else look
        before = look
        if look[0] - began > deadline_seconds:
            raise TooSlowError(f"{reached} of {total} records after {deadline_seconds:.0f} s")
        check()
        time.sleep(pause_seconds)
