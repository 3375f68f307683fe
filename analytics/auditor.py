"""The auditor: which agents have stopped reporting, fail, or run without doing anything."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.errors import UnknownProjectError
from runledger.analytics.pipeline import Pipeline, read_listening, read_pipeline
from runledger.analytics.verdicts import AgentRow, AuditedAgent, OpenIncidentRow, judge_agent
from runledger.schemas.outcomes import OutcomeStatus

MOST_AGENTS = 10_000
MOST_RECENT_RUNS = 1_000


@dataclass(frozen=True, slots=True)
class Audit:
    """The agents of one project, or of all, as the tables have them at one moment."""

    pipeline: Pipeline
    judged: bool
    """Whether it was asked who is quiet: only while the pipeline is current, for our lag is not their silence."""
    agents: list[AuditedAgent]
    """By project and agent."""
    more_agents: bool
    """There are more than the 10,000 listed; those were not looked at."""

    @property
    def found(self) -> list[AuditedAgent]:
        """Those of the agents with which something is wrong."""
        return [agent for agent in self.agents if agent.findings]


@dataclass(frozen=True, slots=True)
class RecentRun:
    """One row of the agent run log."""

    id: UUID
    run_id: UUID
    agent_id: str
    status: OutcomeStatus
    run_status: str | None
    kind: str | None
    inferred: bool
    """Its end was inferred by a timeout."""
    run_at: datetime
    """Log time of the run's first end."""
    created_at: datetime
    """When the row was inserted."""
    ended_at: datetime | None
    """The agent's own time."""
    action_summary: str | None
    actions_taken: dict[str, Any] | None
    """None above 32 KiB; `actions_taken_bytes` says how much it is."""
    actions_taken_bytes: int | None
    silent: bool | None
    """The run shows no meaningful output."""
    late: bool
    """It arrived too late to be placed: its streaks are unknown and written as 0."""
    consecutive_silence_count: int
    consecutive_failure_count: int
    score: float | None
    """0…1; None until scored."""
    rlhf_scores: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Project:
    project_key: str


class Auditor:
    """Reads what the auditor of the agents needs; every question but `audit(None)` is about one project.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def audit(self, project_key: str | None) -> Audit:
        """Judge every agent.

        Args:
            project_key: whose; None for every project, which is for operators alone.

        Raises:
            UnknownProjectError: there is no such project.
            ReadUnavailableError: the database does not answer in time.
        """
        return await self._database.answer(lambda connection: read_audit(connection, project_key))

    async def audit_agent(self, project_key: str, agent_id: str) -> AuditedAgent | None:
        """Judge one agent; None if the project has none of that id.

        Raises:
            UnknownProjectError: there is no such project.
            ReadUnavailableError: the database does not answer in time.
        """
        audit = await self._database.answer(lambda connection: read_audit(connection, project_key, agent_id))
        return audit.agents[0] if audit.agents else None

    async def recent_runs(
        self, project_key: str, agent_id: str | None = None, since: datetime | None = None, limit: int = 50
    ) -> list[RecentRun]:
        """Read finished runs, the newest first by the time their rows were inserted.

        Args:
            project_key: whose.
            agent_id: of one agent; None for any.
            since: inserted then or later.
            limit: at most so many, 1 to 1,000.

        Raises:
            ValueError: the limit is not from 1 to 1,000.
            ReadUnavailableError: the database does not answer in time.
        """
        if not 1 <= limit <= MOST_RECENT_RUNS:
            raise ValueError(f"limit must be from 1 to {MOST_RECENT_RUNS:,}, not {limit:,}")
        asked = {"project_key": project_key, "agent_id": agent_id, "since": since, "limit": limit}
        return await self._database.select(RecentRun, query("select_recent_runs"), asked)


async def read_audit(connection: Connection, project_key: str | None, agent_id: str | None = None) -> Audit:
    """Judge agents on a connection of `Database.answer`.

    Args:
        connection: to ask on.
        project_key: whose; None for every project, which is for operators alone.
        agent_id: this agent alone; None for every one.

    Raises:
        UnknownProjectError: there is no such project.
    """
    asked = {"project_key": project_key, "agent_id": agent_id, "limit": MOST_AGENTS + 1}
    if project_key is not None and not await fetch(connection, _Project, query("select_project"), asked):
        raise UnknownProjectError(f"there is no project {project_key}")
    pipeline = await read_pipeline(connection)
    is_judged = pipeline.state == "current"
    listening = await read_listening(connection) if is_judged else None
    rows = await fetch(connection, AgentRow, query("select_audited_agents"), asked)
    incidents: defaultdict[tuple[str, str], list[OpenIncidentRow]] = defaultdict(list)
    for incident in await fetch(connection, OpenIncidentRow, query("select_open_incidents"), asked):
        incidents[incident.project_key, incident.agent_id].append(incident)
    agents = [
        judge_agent(row, listening, tuple(incidents[row.project_key, row.agent_id])) for row in rows[:MOST_AGENTS]
    ]
    return Audit(pipeline, is_judged, agents, len(rows) > MOST_AGENTS)
