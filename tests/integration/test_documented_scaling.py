"""The statement of docs/scaling.md that drops old days of the audit log, against real tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests import documents
from tests.integration.sinks.conftest import Ledger, ledger
from tests.integration.sinks.story import random_story

__all__ = ["ledger"]

pytestmark = pytest.mark.integration


def test_old_days_of_the_audit_log_are_dropped_and_no_others(database: str) -> None:
    migrate(database)
    statement = documents.example("docs/scaling.md", "sql", "DROP TABLE")
    today = datetime.now(UTC).date()
    with psycopg.connect(database, autocommit=True) as connection:
        for age in (0, 29, 31, 400):
            connection.execute("SELECT make_run_event_day(%s)", [today - timedelta(days=age)])
        drops = [drop for (drop,) in connection.execute(statement.encode())]
        for drop in drops:
            connection.execute(sql.SQL(drop))
        left = [name for (name,) in connection.execute("SELECT relid::text FROM pg_partition_tree('run_event')")]

    assert len(drops) == 2
    kept = {f"run_event_{today - timedelta(days=age):%Y%m%d}" for age in (0, 29)}
    assert set(left) == {"run_event", "run_event_default", *kept}


def test_the_recount_leaves_out_what_was_dropped(ledger: Ledger) -> None:
    statement = documents.example("docs/scaling.md", "sql", "UPDATE consumer_offset")
    ledger.write(random_story(8, 300, 60, 3).records)
    ((middle,),) = ledger.rows("SELECT max(log_offset) / 2 FROM run_event")
    ledger.connection.execute("DELETE FROM run_event WHERE log_offset < %s", [middle])
    assert not verify(ledger.connection).clean
    ledger.connection.execute(statement.encode())
    report = verify(ledger.connection)
    assert report.differences == ()
    assert report.runs_not_recounted > 0
