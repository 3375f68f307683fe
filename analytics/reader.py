"""Ask the ledger about one project's runs, failures and costs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.readings import (
    CostGrouping,
    CostReading,
    FailureGroupReading,
    FailureReading,
    RunCosts,
    RunFound,
    RunReading,
)


class LedgerReader:
    """Every question is about one project and sees nothing of another.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_run(self, project_key: str, run_id: UUID) -> RunFound | None:
        """Read one run; None if the project has none of that id.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        named = {"project_key": project_key, "run_id": run_id}
        return await self._database.answer(lambda connection: _read_run(connection, named))

    async def recent_failures(self, project_key: str, fingerprint: str | None, limit: int) -> list[FailureGroupReading]:
        """Read kinds of failures, the latest first.

        Args:
            project_key: whose.
            fingerprint: one kind; None for any.
            limit: at most so many.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "fingerprint": fingerprint, "limit": limit}
        return await self._database.select(FailureGroupReading, query("select_failure_groups"), asked)

    async def run_costs(self, project_key: str, since: datetime, group_by: CostGrouping | None, limit: int) -> RunCosts:
        """Add up what runs used and cost; a run counts when it ended, or was last heard of.

        Args:
            project_key: whose.
            since: runs from then on.
            group_by: agent, day (UTC) or model; runs that used several models are a group of their own. None: total.
            limit: at most so many groups.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "since": since, "group_by": group_by, "limit": limit + 1}
        total, *groups = await self._database.select(CostReading, query("select_run_costs"), asked)
        return RunCosts(total, groups[:limit], len(groups) > limit)


async def _read_run(connection: Connection, named: dict[str, Any]) -> RunFound | None:
    found = await fetch(connection, RunReading, query("select_run"), named)
    if not found:
        return None
    return RunFound(found[0], await fetch(connection, FailureReading, query("select_run_failures"), named))
