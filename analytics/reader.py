"""Ask the ledger about one project's runs, failures and costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
from pydantic import Field, TypeAdapter

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.days import find_zone
from runledger.analytics.errors import TimeZoneError
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.analytics.readings import (
    CostGrouping,
    CostReading,
    FailureGroupReading,
    FailureReading,
    FailureState,
    LogReading,
    RunCosts,
    RunFound,
    RunReading,
)
from runledger.schemas.values import Timestamp

_START = {"place_at": None, "place_fingerprint": None}
_FAILURE_PLACE: TypeAdapter[tuple[datetime, str]] = TypeAdapter(
    tuple[Timestamp, Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]]
)


@dataclass(frozen=True, slots=True)
class _Named:
    fingerprint: str


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
        return await self._database.answer(lambda connection: read_run(connection, named))

    async def recent_failures(self, project_key: str, fingerprint: str | None, limit: int) -> list[FailureGroupReading]:
        """Read kinds of failures, the latest first.

        Args:
            project_key: whose.
            fingerprint: one kind; None for any.
            limit: at most so many.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        wanted = {"project_key": project_key, "fingerprint": fingerprint, "state": None, "since": None, "text": None}
        asked = {**wanted, "limit": limit, **_START}
        return await self._database.select(FailureGroupReading, query("select_failure_groups"), asked)

    async def find_fingerprints(self, project_key: str, prefix: str, limit: int) -> list[str]:
        """Find the kinds of failures whose fingerprints begin so.

        Args:
            project_key: whose.
            prefix: 1 to 64 hexadecimal digits, in lower case.
            limit: at most so many.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "prefix": prefix, "limit": limit}
        return [found.fingerprint for found in await self._database.select(_Named, query("select_fingerprints"), asked)]

    async def failure_page(
        self,
        project_key: str,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
        state: FailureState | None = None,
        text: str | None = None,
    ) -> Page[FailureGroupReading]:
        """Read a page of kinds of failures, the latest first.

        Args:
            project_key: whose.
            since: seen then or later.
            limit: at most so many.
            cursor: of the page before; None for the first.
            state: kinds in this state; None for any.
            text: kinds whose summary holds it, in any case, or whose fingerprint begins so; None for any.

        Raises:
            CursorError: the cursor is none, or of another list.
            ReadUnavailableError: the database does not answer in time.
        """
        question = {"list": "failures", "project_key": project_key, "fingerprint": None, "since": since}
        question |= {"state": state, "text": None if text is None else text.lower()}
        asked = {**question, "limit": limit + 1, **_START}
        if cursor is not None:
            place_at, place_fingerprint = read_cursor(cursor, question, _FAILURE_PLACE)
            asked |= {"place_at": place_at, "place_fingerprint": place_fingerprint}
        rows = await self._database.select(FailureGroupReading, query("select_failure_groups"), asked)
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]
        return Page(rows[:limit], write_cursor(question, [last.last_seen_at, last.fingerprint]))

    async def run_costs(
        self,
        project_key: str,
        since: datetime,
        group_by: CostGrouping | None,
        limit: int,
        until: datetime | None = None,
        time_zone: str = "UTC",
    ) -> RunCosts:
        """Add up what runs used and cost; a run counts when it ended, or was last heard of.

        Args:
            project_key: whose.
            since: runs from then on.
            group_by: agent, day or model; runs that used several models are a group of their own. None: total.
            limit: at most so many groups.
            until: runs before then; None for all.
            time_zone: IANA name of the zone in which days begin.

        Raises:
            TimeZoneError: no time zone is named so.
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {
            "project_key": project_key,
            "since": since,
            "until": until,
            "time_zone": find_zone(time_zone).key,
            "group_by": group_by,
            "limit": limit + 1,
        }
        try:
            total, *groups = await self._database.select(CostReading, query("select_run_costs"), asked)
        except psycopg.errors.InvalidParameterValue as error:
            raise TimeZoneError("the database knows no such time_zone") from error
        return RunCosts(total, groups[:limit], len(groups) > limit)


async def read_run(connection: Connection, named: dict[str, Any]) -> RunFound | None:
    """Read one run within a transaction of `Database.answer`.

    Args:
        connection: given by it.
        named: {"project_key": whose, "run_id": which}.
    """
    found = await fetch(connection, RunReading, query("select_run"), named)
    if not found:
        return None
    failures = await fetch(connection, FailureReading, query("select_run_failures"), named)
    logged = await fetch(connection, LogReading, query("select_run_log"), named)
    return RunFound(found[0], failures, logged[0] if logged else None)
