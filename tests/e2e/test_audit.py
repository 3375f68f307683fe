"""The auditor behind the real pipeline: five agents report, or do not; then the pipeline itself stands still."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runledger.analytics.auditor import Audit, Auditor
from runledger.analytics.counters import CompletedCounts
from runledger.analytics.database import Database
from runledger.analytics.intelligence import Intelligence, IntelligenceReader
from runledger.producers.client import RunClient
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.e2e.command import runledger
from tests.e2e.pipeline import pipeline, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.integration]

PROJECT = "acme"
EXPECTED = {
    "failing": ("failing",),
    "never": ("never_reported",),
    "silent": ("silent",),
    "stopped": ("quiet",),
}


@pytest.fixture
def settings(topics: ConnectionSettings, database: str) -> ConnectionSettings:
    """Topics and migrated tables of the test's own."""
    migrate(database)
    return topics.model_copy(update={"postgres": database})


def _audit(settings: ConnectionSettings) -> Audit:
    async def ask() -> Audit:
        async with Database(settings.postgres) as database:
            return await Auditor(database).audit(None)

    return asyncio.run(ask())


def _found(audit: Audit) -> dict[str, tuple[str, ...]]:
    return {agent.agent_id: tuple(agent.findings) for agent in audit.found}


def _expect(settings: ConnectionSettings) -> None:
    for agent, every in (("stopped", "1s"), ("never", "1s"), ("healthy", "1h")):
        done = runledger(settings, "agents", "set", agent, "--project", PROJECT, "--every", every)
        assert done.returncode == 0, done.stderr


def _report(client: RunClient) -> None:
    client.log_run("stopped", "success", {"summary": "the last that was heard of it"}, project=PROJECT)
    client.log_run("healthy", "success", {"summary": "3 tickets closed"}, project=PROJECT)
    for _ in range(3):
        client.log_run("failing", "failed", {"summary": "no database"}, project=PROJECT)
        client.log_run("silent", "success", {}, project=PROJECT)
    client.flush(30)


def _finished(audit: Audit) -> dict[str, int]:
    return {agent.agent_id: agent.finished_runs for agent in audit.agents}


def _rows(settings: ConnectionSettings, query: str, *parameters: object) -> tuple[Any, ...] | None:
    with psycopg.connect(settings.postgres) as connection:
        return connection.execute(query.encode(), parameters).fetchone()


def _figures(settings: ConnectionSettings) -> Intelligence:
    async def ask() -> Intelligence:
        async with Database(settings.postgres) as database:
            return await IntelligenceReader(database, CompletedCounts({})).read()

    return asyncio.run(ask())


def _told(settings: ConnectionSettings, told: Callable[[Audit], bool]) -> Callable[[], bool]:
    return lambda: told(_audit(settings))


def test_each_agent_is_found_and_while_the_pipeline_stands_still_nobody_is_called_quiet(
    settings: ConnectionSettings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    client = RunClient(kafka=settings.kafka, topic_prefix=settings.topic_prefix, strict=True)
    with client, pipeline(settings, tmp_path, ("processor", "sink", "watch")) as running:
        _expect(settings)
        _report(client)
        wait_for("the findings", _told(settings, lambda audit: _found(audit) == EXPECTED), 90)
        audit = _audit(settings)
        assert audit.judged
        assert {agent.agent_id for agent in audit.agents} == {*EXPECTED, "healthy"}
        assert runledger(settings, "audit").returncode == 3

        # The agents go on, but what they say does not come through.
        running.workers[0].signal(signal.SIGSTOP)
        client.log_run("stopped", "success", {"summary": "back again"}, project=PROJECT)
        client.flush(30)
        took = wait_for("a pipeline that is behind", _told(settings, lambda audit: not audit.judged), 60)
        record_property("report", f"found behind after {took:.0f} s")
        told = runledger(settings, "audit", "--json", "--project", PROJECT)
        document = json.loads(told.stdout)
        assert (told.returncode, document["judged"], document["pipeline"]["state"]) == (3, False, "behind")
        assert {agent["agent_id"] for agent in document["found"]} == {"failing", "silent"}

        running.workers[0].signal(signal.SIGCONT)
        wait_for("a pipeline that keeps up again", _told(settings, lambda audit: audit.judged), 60)
        audit = _audit(settings)
        assert {agent.agent_id: agent.state for agent in audit.agents}["healthy"] == "healthy"
        wait_for("what was said meanwhile", _told(settings, lambda audit: _finished(audit)["stopped"] == 2), 60)


def test_the_figures_come_through_the_pipeline(settings: ConnectionSettings, tmp_path: Path) -> None:
    """The sink's own rollup gives what the second source document's query counts."""
    client = RunClient(kafka=settings.kafka, topic_prefix=settings.topic_prefix, strict=True)
    with client, pipeline(settings, tmp_path):
        _report(client)
        wait_for("the rows", lambda: _rows(settings, "SELECT count(*) FROM agent_run_log") == (8,), 90)
        scored = "SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL"
        wait_for("the scores", lambda: _rows(settings, scored) == (8,), 90)
    assert _figures(settings).tasks_completed_today == 0
    with psycopg.connect(settings.postgres) as connection:
        connection.execute("UPDATE project SET is_public = true WHERE project_key = %s", [PROJECT])
    figures = _figures(settings)
    counted = "SELECT count(*) FROM agent_run_log WHERE status = 'success' AND created_at >= %s"
    assert _rows(settings, counted, figures.today_start) == (figures.tasks_completed_today,)
    mean = "SELECT avg((rlhf_scores ->> 'overall')::numeric)::float8, count(*) FROM agent_run_log"
    assert _rows(settings, mean) == (pytest.approx(figures.rlhf_quality_score_7d), figures.rlhf_quality_sample_size)
    assert {(card.agent_id, card.action_summary, card.status) for card in figures.agents} == {
        ("stopped", "the last that was heard of it", "completed"),
        ("healthy", "3 tickets closed", "completed"),
        ("failing", "no database", "failed"),
        ("silent", None, "completed"),
    }
