"""Writers held in mid-transaction by a lock that the test has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.faults.site import Site


@contextmanager
def table_locked(site: Site, table: str, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """Hold a lock on a table for the length of a block, so that a writer waits in mid-transaction."""
    with psycopg.connect(site.settings.postgres) as holder:
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE".encode())
        yield
        holder.rollback()


def waiting(site: Site) -> int:
    """Count the writers that wait for a lock inside a transaction."""
    return site.count(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND application_name = 'runledger'"
    )
