"""Migration 0004: the states it gives to failures written before it."""

from __future__ import annotations

import psycopg
import pytest

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.sinks.batch import fold
from runledger.sinks.copying import copy_text
from runledger.sinks.loading import load
from runledger.sinks.migrate import migrate
from runledger.sinks.rows import EVENT_COLUMNS, PLAIN_EVENT_COLUMNS, as_json
from runledger.sinks.statements import statement
from runledger.sinks.verify import verify
from tests.integration.sinks.old_tables import load_runs
from tests.integration.sinks.story import random_story

pytestmark = pytest.mark.integration

_BEFORE = "0003"
_OURS = ("failure", "task", "resolution")


@pytest.mark.parametrize("seed", range(3))
def test_failures_written_before_get_the_states_of_a_recount(database: str, seed: int) -> None:
    migrate(database, _BEFORE)
    batch = fold(random_story(seed, 600, 60, 2).records, DEFAULT_RUBRIC)
    with psycopg.connect(database, autocommit=True) as connection:
        load(connection, "run_event", EVENT_COLUMNS, copy_text(batch.events, PLAIN_EVENT_COLUMNS))
        load_runs(connection, batch)
        connection.execute(statement("insert_failures"), {"rows": as_json(batch.failures.values())})
        migrate(database)
        assert [one for one in verify(connection).differences if one.kind.startswith(_OURS)] == []
        for table in ("failure_resolution", "task_completion", "failure_task"):
            assert connection.execute(f"TABLE {table} LIMIT 1".encode()).fetchone() is not None
        told = "SELECT count(*) FROM failure_group WHERE resolved_at IS NOT NULL"
        assert connection.execute(told.encode()).fetchone() == (2,)
