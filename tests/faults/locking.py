"""Writers held in mid-transaction by a lock that the test has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.faults.site import Site

_WAITS = """
    SELECT count(*)
    FROM pg_locks AS lock
    JOIN pg_stat_activity AS writer USING (pid)
    WHERE lock.relation = %(table)s::regclass
      AND lock.locktype = %(kind)s
      AND lock.granted = %(granted)s
      AND writer.datname = current_database()
      AND writer.application_name = 'runledger'
"""


@contextmanager
def table_locked(site: Site, table: str, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """Hold a lock on a table for the length of a block, so that a writer waits in mid-transaction."""
    with psycopg.connect(site.settings.postgres) as holder:
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE".encode())
        yield
        holder.rollback()


def waiting(site: Site, table: str) -> int:
    """Count the writers that wait for a table's lock.

    Waits of any kind would be too many: relay and sink wait for each other's rows, too, for a moment.
    """
    return _count(site, {"table": table, "kind": "relation", "granted": False})


def waiting_for_rows(site: Site, table: str) -> int:
    """Count the writers that wait for another transaction to let go of a row: who waits holds its place in line."""
    return _count(site, {"table": table, "kind": "tuple", "granted": True})


def _count(site: Site, which: dict[str, str | bool]) -> int:
    found = site.connection.execute(_WAITS, which).fetchone()
    assert found is not None
    return int(found[0])
