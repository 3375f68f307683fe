"""The story of one agent, from real tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from runledger.analytics.agent_story import AgentStories, AgentStory
from runledger.analytics.database import Database
from runledger.analytics.errors import UnknownProjectError
from tests.integration.analytics.tables import Tables, ago, explained

pytestmark = pytest.mark.integration


async def _tell(uri: str, agent_id: str = "sage", project_key: str = "acme") -> AgentStory | None:
    async with Database(uri) as database:
        return await AgentStories(database).tell(project_key, agent_id)


def _ran(tables: Tables, ended_at: datetime, *, failed_by: str | None = None, project: str = "acme") -> UUID:
    """Make a finished run of sage that cost a quarter of a dollar."""
    run_id = uuid4()
    status = "failed" if failed_by else "success"
    tables.logged(project, "sage", ended_at, run_id=run_id, status=status, failures=int(failed_by is not None))
    tables.heard(project, "sage", ended_at)
    tables.connection.execute(
        "UPDATE agent_run SET run_id = %s, cost_usd = 0.25, cost_source = 'reported', total_tokens = 40, failures = %s"
        " WHERE project_key = %s AND heard_at = %s",
        [run_id, int(failed_by is not None), project, ended_at],
    )
    if failed_by:
        tables.connection.execute(
            "INSERT INTO run_failure (project_key, run_id, event_id, fingerprint, summary, context, meta, detached,"
            " occurred_at, logged_at, log_partition, log_offset)"
            " VALUES (%s, %s, 'e1', %s, 'it broke', '{}', '{}', false, %s, %s, 0, 0)",
            [project, run_id, failed_by, ended_at, ended_at],
        )
        tables.connection.execute(
            "INSERT INTO failure_group (project_key, fingerprint, summary, first_seen_at, last_seen_at, failure_count)"
            " VALUES (%s, %s, 'it broke', %s, %s, 1) ON CONFLICT DO NOTHING",
            [project, failed_by, ended_at, ended_at],
        )
    return run_id


async def test_it_tells_the_last_32_runs_and_what_they_failed_by(uri: str, tables: Tables) -> None:
    began = ago(tables, days=1)
    tables.agent("acme", "sage", name="Sage")
    old = "0" * 64
    _ran(tables, began - timedelta(hours=9), failed_by=old)
    runs = [_ran(tables, began + timedelta(minutes=number)) for number in range(30)]
    runs.append(_ran(tables, began + timedelta(minutes=30), failed_by="a" * 64))
    runs.append(_ran(tables, began + timedelta(minutes=31), failed_by="a" * 64))
    _ran(tables, began + timedelta(minutes=32), failed_by="b" * 64, project="other")
    story = await _tell(uri)
    assert story is not None
    assert story.agent.name == "Sage"
    assert [outcome.run_id for outcome in story.outcomes] == runs
    newest = story.outcomes[-1]
    assert (newest.status, newest.cost_usd, newest.cost_source) == ("failed", Decimal("0.25"), "reported")
    assert (newest.total_tokens, newest.failure_count, newest.consecutive_failure_count) == (40, 1, 1)
    assert [(kind.fingerprint, kind.runs, kind.state) for kind in story.failures] == [("a" * 64, 2, "open")]
    assert story.failures[0].last_seen_at == began + timedelta(minutes=31)


async def test_an_agent_that_never_ran_has_a_story_too(uri: str, tables: Tables) -> None:
    tables.agent("acme", "sage")
    story = await _tell(uri)
    assert story is not None
    assert (story.outcomes, story.failures) == ([], [])


async def test_an_agent_of_another_project_is_none(uri: str, tables: Tables) -> None:
    tables.project("acme")
    tables.agent("other", "sage")
    assert await _tell(uri) is None
    with pytest.raises(UnknownProjectError):
        await _tell(uri, project_key="typo")


async def test_a_story_costs_the_same_whatever_the_log_holds(uri: str, tables: Tables) -> None:
    began = ago(tables, days=1)
    tables.agent("acme", "sage")
    for number in range(300):
        _ran(tables, began + timedelta(minutes=number))
    tables.connection.execute("ANALYZE agent_run_log; ANALYZE agent_run")
    nodes = await explained(uri, "select_agent_outcomes", {"project_key": "acme", "agent_id": "sage"})
    assert max(node["Actual Rows"] for node in nodes) <= 32
