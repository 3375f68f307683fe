"""What to do about a Postgres error, by its SQLSTATE (design.md §7; PostgreSQL manual, appendix A)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import psycopg

Decision: TypeAlias = Literal["retry", "bisect", "stop"]
"""retry: the server will recover, wait. bisect: a value is at fault, find it. stop: a person has to look."""

_RETRY_CLASSES = frozenset(
    {
        "08",  # connection exception
        "40",  # transaction rollback: deadlock, serialization
        "53",  # insufficient resources: disk full, too many connections
        "57",  # operator intervention: shutdown, crash, cancel by statement_timeout
    }
)
_RETRY_STATES = frozenset(
    {
        "25006",  # read-only transaction: a standby, or an operator's hand
        "25P03",  # idle_in_transaction_session_timeout: we were stopped and go on now
        "55P03",  # lock not available: lock_timeout
    }
)
_BISECT_CLASSES = frozenset(
    {
        "22",  # data exception: NUL, number out of range
        "23",  # integrity violation
        "54",  # program limit exceeded: a value too large for an index
    }
)


def decide(sqlstate: str | None) -> Decision:
    """Return what to do about an error that the server reported; without a code, the connection is at fault."""
    if sqlstate is None or sqlstate in _RETRY_STATES or sqlstate[:2] in _RETRY_CLASSES:
        return "retry"
    return "bisect" if sqlstate[:2] in _BISECT_CLASSES else "stop"


def reason_of(error: psycopg.Error) -> str:
    """Say why in words fit for a log: the server's own words may quote a value, so of those only the code."""
    return error.sqlstate or " ".join(str(error).split())


def decide_error(error: psycopg.Error) -> Decision:
    """Return what to do about an error that psycopg raised.

    Without a code, it comes from the client's side: a value that psycopg cannot send is a DataError, a lost or refused
    connection an OperationalError or InterfaceError; anything else is a mistake of ours.
    """
    if error.sqlstate is not None:
        return decide(error.sqlstate)
    if isinstance(error, psycopg.DataError):
        return "bisect"
    return "retry" if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else "stop"
