"""Read what there is to tell of one agent: how it is judged, how its last runs went, and what they failed by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from runledger.analytics.auditor import read_audit
from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.readings import FailureState
from runledger.analytics.verdicts import AuditedAgent
from runledger.schemas.outcomes import OutcomeStatus

MOST_KINDS = 5


@dataclass(frozen=True, slots=True)
class AgentOutcome:
    """One finished run; None is unknown."""

    run_id: UUID
    status: OutcomeStatus
    silent: bool
    """The run shows no meaningful output."""
    inferred: bool
    """Its end was inferred by a timeout."""
    ended_at: datetime
    started_at: datetime | None
    action_summary: str | None
    """Its first 301 characters."""
    consecutive_silence_count: int
    consecutive_failure_count: int
    score: float | None
    cost_usd: Decimal | None
    cost_source: str
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    failure_count: int


@dataclass(frozen=True, slots=True)
class AgentFailure:
    """One kind of failure that the agent's last runs met."""

    fingerprint: str
    state: FailureState
    summary: str
    """Of the first failure of the kind, whichever agent met it."""
    runs: int
    """So many of these runs met it."""
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class AgentStory:
    """What is known of one agent, true of one moment."""

    agent: AuditedAgent
    pipeline: Pipeline
    outcomes: list[AgentOutcome]
    """Its last 32 finished runs, the oldest first."""
    failures: list[AgentFailure]
    """At most 5 kinds that these runs met, the latest first."""


class AgentStories:
    """Reads the stories of agents.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, project_key: str, agent_id: str) -> AgentStory | None:
        """Read the story of one agent; None if the project has none of that id.

        Raises:
            UnknownProjectError: there is no such project.
            ReadUnavailableError: the database does not answer in time.
        """
        return await self._database.answer(lambda connection: _tell(connection, project_key, agent_id))


async def _tell(connection: Connection, project_key: str, agent_id: str) -> AgentStory | None:
    audit = await read_audit(connection, project_key, agent_id)
    if not audit.agents:
        return None
    asked = {"project_key": project_key, "agent_id": agent_id}
    outcomes = await fetch(connection, AgentOutcome, query("select_agent_outcomes"), asked)
    asked_failures = {
        "project_key": project_key,
        "run_ids": [outcome.run_id for outcome in outcomes if outcome.failure_count],
        "limit": MOST_KINDS,
    }
    failures = await fetch(connection, AgentFailure, query("select_agent_failures"), asked_failures)
    return AgentStory(audit.agents[0], audit.pipeline, outcomes, failures)
