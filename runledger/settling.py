"""Recount a ledger that is still being written: what is under way settles, what is wrong stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from runledger.sinks.verify import Report, verify

_PAUSE_SECONDS = 0.25


def settled_report(
    connection: psycopg.Connection[Any],
    wait_seconds: float,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Report:
    """Recount until nothing differs or the time is over; return the last report.

    An event and the snapshot that comes of it are written by different transactions, so on a busy ledger a recount may
    meet one without the other.

    Args:
        connection: outside any transaction.
        wait_seconds: how long it is repeated.
        progress: called with (statements done, statements in all), from the start with each recount.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        report = verify(connection, progress)
        if report.clean or time.monotonic() > deadline:
            return report
        time.sleep(_PAUSE_SECONDS)
