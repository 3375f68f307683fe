"""Read all that the ledger says of one run, and how its figures came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.reader import read_run
from runledger.analytics.readings import FailureState, RunFound

MOST_CHILDREN = 1000
"""Runs that a run started are counted up to here."""


@dataclass(frozen=True, slots=True)
class UsageReading:
    """What a run's figures were made of."""

    reported: dict[str, Any]
    """Sums of the reports: {field of UsageTotals: number, or the cost as decimal text}; what is unknown is left out."""
    reported_cost_source: str
    final: dict[str, Any] | None
    """The absolute usage that its end states; None where it states none."""
    final_cost_source: str
    inferred: bool
    """The end in force was inferred by a timeout."""
    clock_clamped: bool
    event_count: int
    parent_known: bool
    """The project has the run that started this one."""
    child_count: int
    """Runs that this one started, counted up to one more than MOST_CHILDREN."""


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What a run reported of one model. None is unknown."""

    model: str | None
    at_end: bool
    """It is what the end states of the whole run, not an increment."""
    reports: int
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None
    stated_cost_usd: Decimal | None
    """Of the reports that state a cost; what the ledger estimated for others is in no row."""
    reports_with_cost: int


@dataclass(frozen=True, slots=True)
class FailureKindReading:
    """A kind of failure that a run met, and what became of it in the project."""

    fingerprint: str
    failures_in_run: int
    state: FailureState
    failure_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunAccount:
    """All of one moment."""

    found: RunFound
    usage: UsageReading
    models: list[ModelReading]
    """By model, those with the most tokens first, at most 100."""
    failure_kinds: list[FailureKindReading]
    """The latest first, at most 20."""


class RunAccounts:
    """Reads accounts of runs.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, project_key: str, run_id: UUID) -> RunAccount | None:
        """Read one; None if the project has no such run.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        named = {"project_key": project_key, "run_id": run_id}
        return await self._database.answer(lambda connection: _read(connection, named))


async def _read(connection: Connection, named: dict[str, Any]) -> RunAccount | None:
    found = await read_run(connection, named)
    if found is None:
        return None
    [usage] = await fetch(connection, UsageReading, query("select_run_account"), named)
    models = await fetch(connection, ModelReading, query("select_run_models"), named)
    kinds = await fetch(connection, FailureKindReading, query("select_run_failure_kinds"), named)
    return RunAccount(found, usage, models, kinds)
