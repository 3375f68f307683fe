"""Read the steps of a run, as its trace entries tell them: what a waterfall is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from runledger.analytics.database import Database, query

MOST_STEPS = 5000
"""So many of a run are read; beyond that a waterfall helps nobody."""


@dataclass(frozen=True, slots=True)
class Step:
    """One trace entry: what of it a waterfall needs, as text, since anybody may have written it; None is not told."""

    event_id: str
    number: int
    """Its place in the event, from 1."""
    occurred_at: datetime
    """The agent's own time of the event."""
    span_id: str | None
    parent_span_id: str | None
    name: str | None
    kind: str | None
    tool: str | None
    model: str | None
    status: str | None
    started_at: str | None
    ended_at: str | None
    duration_ms: str | None


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One trace entry, whole."""

    event_id: str
    number: int
    trace: Any
    """None above 32 KiB; `trace_bytes` says how much it is."""
    trace_bytes: int


class RunSteps:
    """Reads the steps of runs; none where the project has no such run.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def steps(self, project_key: str, run_id: UUID, limit: int = MOST_STEPS) -> list[Step]:
        """Read a run's steps in the order of the agents' own times, at most `limit`.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "run_id": run_id, "limit": limit}
        return await self._database.select(Step, query("select_run_steps"), asked)

    async def entries(self, project_key: str, run_id: UUID, steps: Sequence[Step]) -> list[StepEntry]:
        """Read the entries that some steps were told by, in no order that matters.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        if not steps:
            return []
        asked = {
            "project_key": project_key,
            "run_id": run_id,
            "event_ids": [step.event_id for step in steps],
            "numbers": [step.number for step in steps],
        }
        return await self._database.select(StepEntry, query("select_run_step_entries"), asked)
