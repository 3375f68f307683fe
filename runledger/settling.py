"""Recount a ledger that is still being written: what is under way settles, what is wrong stays."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from runledger.sinks.verify import Report, verify

_PAUSE_SECONDS = 0.25


def settled_report(connection: psycopg.Connection[Any], wait_seconds: float) -> Report:
    """Recount until nothing differs or the time is over; return the last report.

    An event and the snapshot that comes of it are written by different transactions, so on a busy ledger a recount may
    meet one without the other.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        report = verify(connection)
        if report.clean or time.monotonic() > deadline:
            return report
        time.sleep(_PAUSE_SECONDS)
