"""How far the tables have come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runledger.analytics.database import Database
from runledger.analytics.progress import ask_progress
from tests.integration.analytics.tables import Tables, ago

pytestmark = pytest.mark.integration


def _position(tables: Tables, topic: str, partition: int, next_offset: int) -> None:
    tables.connection.execute(
        "INSERT INTO consumer_offset (topic, partition, next_offset, topic_id, partition_count)"
        " VALUES (%s, %s, %s, '', 2)",
        [topic, partition, next_offset],
    )


def _job(tables: Tables, seconds: float, *, sent: bool = False) -> None:
    tables.connection.execute(
        "INSERT INTO scoring_outbox (job_id, row_id, key, payload, created_at, sent_at)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'secret', %s, CASE WHEN %s THEN now() END)",
        [ago(tables, seconds=seconds), sent],
    )


async def test_positions_are_those_of_the_ledger_s_own_topics(uri: str, tables: Tables) -> None:
    _position(tables, "a.run-events", 1, 7)
    _position(tables, "a.run-events", 0, 5)
    _position(tables, "b.run-events", 0, 9)
    tables.listened(ago(tables, hours=1), tables.now())
    async with Database(uri) as database:
        progress = await ask_progress(database, "a.")
    assert [(one.topic, one.partition, one.next_offset) for one in progress.positions] == [
        ("run-events", 0, 5),
        ("run-events", 1, 7),
    ]
    assert abs(progress.positions[0].updated_at - progress.pipeline.read_at) < timedelta(minutes=1)
    assert progress.pipeline.state == "current"


async def test_jobs_wait_from_the_oldest_that_is_not_sent(uri: str, tables: Tables) -> None:
    async with Database(uri) as database:
        assert (await ask_progress(database, "a.")).outbox.oldest_seconds is None
        _job(tables, 300, sent=True)
        _job(tables, 60)
        _job(tables, 20)
        outbox = (await ask_progress(database, "a.")).outbox
    assert outbox.jobs == 2
    assert outbox.oldest_seconds == pytest.approx(60, abs=10)
