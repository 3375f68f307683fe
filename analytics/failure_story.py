"""What there is to tell of kinds of failures: their states, their days, their runs, and what resolved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from runledger.analytics.database import Database, query
from runledger.analytics.days import find_zone
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.schemas.values import Timestamp

MOST_COUNTED = 5_000
"""Failures of one kind that are counted by day; counting them costs about a millisecond."""
MOST_RESOLUTIONS = 50
_START = {"place_at": None, "place_event_id": None, "place_run_id": None}
_PLACE: TypeAdapter[tuple[datetime, str, UUID]] = TypeAdapter(
    tuple[Timestamp, Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")], UUID]
)


@dataclass(frozen=True, slots=True)
class FailureCounts:
    """Kinds of failures of a project by their state."""

    open: int
    regressed: int
    resolved: int


@dataclass(frozen=True, slots=True)
class FailureDay:
    """How often a kind of failure happened on one day; `counted_since` as in `FailureDays`."""

    fingerprint: str
    day: date
    failures: int
    counted_since: datetime | None


@dataclass(frozen=True, slots=True)
class FailureDays:
    """How often one kind of failure happened.

    Args:
        by_day: {day: failures}; days without any are left out.
        counted_since: failures before then were not counted, as there are so many; None where all were.
    """

    by_day: Mapping[date, int]
    counted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One failure of a kind."""

    event_id: str
    run_id: UUID
    occurred_at: datetime
    agent_id: str | None
    task_id: str | None
    summary: str
    error: str | None
    """Its first 500 characters."""
    error_characters: int | None
    detached: bool
    """No run was named: `run_id` is of none."""
    run_status: str | None
    """None where it is detached, or its run is not in the tables."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A time at which one kind of failure was resolved, for good or not."""

    resolved_at: datetime
    how: Literal["run", "word"]
    event_id: str | None
    """Of the word."""
    run_id: UUID | None
    """Run that completed a task which had failed so."""
    agent_id: str | None
    task_id: str | None
    resolved_by: str | None
    note: str | None
    """What was said, or what that run says came of it."""


class FailureStories:
    """Every question is about one project and sees nothing of another; all may raise ReadUnavailableError.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, project_key: str) -> FailureCounts:
        """Count kinds by state."""
        asked = {"project_key": project_key}
        return (await self._database.select(FailureCounts, query("count_failure_groups"), asked))[0]

    async def days(
        self, project_key: str, fingerprints: Sequence[str], since: datetime, time_zone: str
    ) -> dict[str, FailureDays]:
        """Count failures by day, {fingerprint: days}; kinds that did not happen since then are left out.

        Raises:
            TimeZoneError: no time zone is named so.
        """
        asked = {
            "project_key": project_key,
            "fingerprints": list(fingerprints),
            "since": since,
            "time_zone": find_zone(time_zone).key,
            "limit": MOST_COUNTED,
        }
        found: dict[str, dict[date, int]] = {}
        counted_since: dict[str, datetime | None] = {}
        for row in await self._database.select(FailureDay, query("select_failure_days"), asked):
            found.setdefault(row.fingerprint, {})[row.day] = row.failures
            counted_since[row.fingerprint] = row.counted_since
        return {fingerprint: FailureDays(days, counted_since[fingerprint]) for fingerprint, days in found.items()}

    async def occurrences(
        self, project_key: str, fingerprint: str, limit: int = 50, cursor: str | None = None
    ) -> Page[Occurrence]:
        """Read a page of the failures of one kind, the latest first.

        Raises:
            CursorError: the cursor is none, or of another list.
        """
        question = _occurrences(project_key, fingerprint)
        asked: dict[str, object] = {**question, "limit": limit + 1, **_START}
        if cursor is not None:
            place = read_cursor(cursor, question, _PLACE)
            asked |= dict(zip(_START, place, strict=True))
        rows = await self._database.select(Occurrence, query("select_failure_occurrences"), asked)
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]
        return Page(rows[:limit], write_cursor(question, [last.occurred_at, last.event_id, last.run_id]))

    @staticmethod
    def time_of(project_key: str, fingerprint: str, cursor: str) -> datetime:
        """Say when the last failure of the page before a cursor happened.

        Raises:
            CursorError: the cursor is none, or of another list.
        """
        return read_cursor(cursor, _occurrences(project_key, fingerprint), _PLACE)[0]

    async def resolutions(self, project_key: str, fingerprint: str) -> list[Resolution]:
        """Read what resolved one kind, the latest first; at most 50."""
        asked = {"project_key": project_key, "fingerprint": fingerprint, "limit": MOST_RESOLUTIONS}
        return await self._database.select(Resolution, query("select_failure_resolutions"), asked)


def _occurrences(project_key: str, fingerprint: str) -> dict[str, object]:
    """All that the list of a kind's failures depends on."""
    return {"list": "occurrences", "project_key": project_key, "fingerprint": fingerprint}
