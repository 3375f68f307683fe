"""Rows as the sink would have written them, put into the tables by plain SQL, so that a test chooses their times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from runledger.analytics.database import Connection, Database, query

_RUN = """
INSERT INTO agent_run (
    project_key, run_id, row_id, log_partition, born_offset, version, last_logged_at, heard_at, kind, status, agent_id,
    cost_source, reported, reported_cost_source, final_cost_source, usage_mismatch, models, events, failures, traces,
    inferred, timed_out, end_conflict, clock_clamped, outcome_revision
) VALUES (
    %(project_key)s, %(run_id)s, %(row_id)s, 0, 0, 1, %(heard_at)s, %(heard_at)s, 'lifecycle', 'completed',
    %(agent_id)s, 'unknown', '{}', 'unknown', 'unknown', false, '{}', 1, 0, 0, false, false, false, false, 1
)"""
_LOG = """
INSERT INTO agent_run_log (
    id, agent_id, run_at, action_summary, actions_taken, status, consecutive_silence_count, rlhf_scores, created_at,
    project_key, run_id, consecutive_failure_count, run_status, kind, silent, ended_at, log_partition
) VALUES (
    %(id)s, %(agent_id)s, %(created_at)s, %(action_summary)s, %(actions_taken)s, %(status)s, %(silent)s::int,
    %(rlhf_scores)s, %(created_at)s, %(project_key)s, %(run_id)s, %(failures)s, 'completed', 'log', %(silent)s,
    %(ended_at)s, %(shard)s
)"""
_ROLLUP = """
TRUNCATE run_rollup;
INSERT INTO run_rollup
SELECT
    project_key,
    date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'),
    coalesce(log_partition, 0),
    count(*),
    count(*) FILTER (WHERE status = 'success'),
    count(*) FILTER (WHERE status = 'partial'),
    count(*) FILTER (WHERE status = 'failed'),
    count(rlhf_scores ->> 'overall'),
    coalesce(sum((rlhf_scores ->> 'overall')::numeric), 0)
FROM agent_run_log
GROUP BY 1, 2, 3"""
_HEALTH = """
INSERT INTO agent_health (
    project_key, agent_id, version, last_logged_at, last_ended_at, last_status, finished_runs,
    consecutive_silence_count, consecutive_failure_count
)
SELECT DISTINCT ON (project_key, agent_id)
    project_key, agent_id, 1, run_at, ended_at, status, 1, consecutive_silence_count, consecutive_failure_count
FROM agent_run_log
ORDER BY project_key, agent_id, ended_at DESC
ON CONFLICT (project_key, agent_id) DO UPDATE SET last_ended_at = excluded.last_ended_at"""


class Tables:
    """The tables of a test's own database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def now(self) -> datetime:
        """Return the database's time."""
        found = self.connection.execute("SELECT now()").fetchone()
        assert found is not None
        moment: datetime = found[0]
        return moment

    def project(self, project_key: str, **settings: object) -> None:
        """Make a project, or change what is set for it."""
        self.connection.execute("INSERT INTO project (project_key) VALUES (%s) ON CONFLICT DO NOTHING", [project_key])
        self._set("project", settings, "project_key = %s", project_key)

    def agent(self, project_key: str, agent_id: str, **settings: object) -> None:
        """Make an agent, or change what is set for it."""
        self.project(project_key)
        self.connection.execute(
            "INSERT INTO agent (project_key, agent_id) VALUES (%s, %s) ON CONFLICT DO NOTHING", [project_key, agent_id]
        )
        self._set("agent", settings, "project_key = %s AND agent_id = %s", project_key, agent_id)

    def _set(self, table: str, settings: dict[str, object], where: str, *key: str) -> None:
        for column, value in settings.items():
            statement = f"UPDATE {table} SET {column} = %s WHERE {where}"  # noqa: S608  # names of the tests' own
            self.connection.execute(statement.encode(), [value, *key])

    def heard(self, project_key: str, agent_id: str, heard_at: datetime) -> None:
        """Make a run that was last heard of at some time."""
        named = {"project_key": project_key, "agent_id": agent_id, "heard_at": heard_at}
        self.connection.execute(_RUN, named | {"run_id": uuid4(), "row_id": uuid4()})

    def health(self, project_key: str, agent_id: str, logged_at: datetime, *, silent: int = 0, failed: int = 0) -> None:
        """Make the health of an agent."""
        self.connection.execute(
            "INSERT INTO agent_health VALUES (%s, %s, 1, %s, %s, 'success', 7, %s, %s)",
            [project_key, agent_id, logged_at, logged_at, silent, failed],
        )

    def listened(self, began_at: datetime, reached_at: datetime) -> None:
        """Note that the pipeline listened and kept up for a while."""
        self.connection.execute("INSERT INTO pipeline_span VALUES (%s, %s)", [began_at, reached_at])

    def incident(self, project_key: str, agent_id: str, state: str = "open") -> UUID:
        """Make an incident."""
        incident_id = uuid4()
        self.connection.execute(
            "INSERT INTO incident"
            " (incident_id, project_key, agent_id, kind, state, threshold, run_id, opened_at, version)"
            " VALUES (%s, %s, %s, 'failing', %s, 3, %s, now(), 1)",
            [incident_id, project_key, agent_id, state, uuid4()],
        )
        return incident_id

    def logged(self, project_key: str, agent_id: str, created_at: datetime, **fields: Any) -> UUID:  # noqa: ANN401
        """Make a row of the agent run log; `score` is its overall score."""
        overall = fields.pop("score", None)
        row: dict[str, Any] = {
            "id": uuid4(),
            "run_id": uuid4(),
            "project_key": project_key,
            "agent_id": agent_id,
            "created_at": created_at,
            "ended_at": created_at,
            "action_summary": "did it",
            "actions_taken": {"summary": "did it"},
            "status": "success",
            "silent": False,
            "failures": 0,
            "shard": 0,
            "rlhf_scores": None if overall is None else Jsonb({"overall": overall}),
        } | fields
        row["actions_taken"] = Jsonb(row["actions_taken"])
        self.connection.execute(_LOG, row)
        found: UUID = row["id"]
        return found

    def summed_up(self) -> None:
        """Bring the rollup, and the agents' health, in line with the log."""
        self.connection.execute(_ROLLUP)
        self.connection.execute(_HEALTH)


def ago(tables: Tables, **parts: float) -> datetime:
    """Return a moment before the database's now."""
    return tables.now() - timedelta(**parts)


async def explained(uri: str, question: str, asked: Mapping[str, object]) -> list[dict[str, Any]]:
    """Ask a question and return every node of the plan by which it was answered."""

    async def ask(connection: Connection) -> list[dict[str, Any]]:
        cursor = await connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + query(question), asked)
        row = await cursor.fetchone()
        assert row is not None
        return _nodes(row[0][0]["Plan"])

    async with Database(uri) as database:
        return await database.answer(ask)


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
