"""Read the last outcomes of agents, for strips that show at a glance how their runs went."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.schemas.outcomes import OutcomeStatus

STRIP_OUTCOMES = 32
"""As many as streaks are counted over."""


@dataclass(frozen=True, slots=True)
class StripOutcome:
    """One finished run of an agent."""

    project_key: str
    agent_id: str
    run_id: UUID
    status: OutcomeStatus
    silent: bool
    """The run shows no meaningful output."""
    inferred: bool
    """Its end was inferred by a timeout."""
    ended_at: datetime


async def read_strips(
    connection: Connection, agents: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[StripOutcome]]:
    """Read the strips of agents on a connection of `Database.answer`.

    Args:
        connection: to ask on.
        agents: (project, agent) of each.

    Returns:
        {(project, agent): at most 32 outcomes, the oldest first}; those without one are missing.
    """
    asked = {"project_keys": [project for project, _ in agents], "agent_ids": [agent for _, agent in agents]}
    rows = await fetch(connection, StripOutcome, query("select_strips"), asked)
    return {key: list(strip) for key, strip in groupby(rows, lambda row: (row.project_key, row.agent_id))}


async def ask_strips(
    database: Database, agents: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[StripOutcome]]:
    """Read the strips of agents, as `read_strips` does.

    Raises:
        ReadUnavailableError: the database does not answer in time.
    """
    return await database.answer(lambda connection: read_strips(connection, agents))
