"""One project at a glance: what was done today, how well, for how much, and which agents need somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from runledger.analytics.auditor import Audit, read_audit
from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.days import day_start, find_zone, quarter_start
from runledger.analytics.intelligence import SCORED_OVER
from runledger.schemas.outcomes import OutcomeStatus

DAYS = 7
MOST_CARDS = 60


@dataclass(frozen=True, slots=True)
class Day:
    """The runs that finished on a day, by when their rows were inserted."""

    day: date
    runs: int
    success: int
    partial: int
    failed: int
    scored: int
    mean_score: float | None
    """0 to 1; None where none has a score."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the work was."""

    scored_runs: int
    mean_score: float | None
    """Of the last seven days; None where no run of them has a score."""
    mean_before: float | None
    """Of the seven days before."""


@dataclass(frozen=True, slots=True)
class NewestRun:
    """An agent's newest run, for its card."""

    agent_id: str
    name: str | None
    role: str | None
    action_summary: str | None
    """At most 501 characters of it."""
    status: OutcomeStatus
    ended_at: datetime
    run_id: UUID
    silent: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """A project as it stood at `audit.pipeline.read_at`."""

    today_start: datetime
    time_zone: str
    days: list[Day]
    """Of the last seven days, the oldest first, today last; days without runs are among them."""
    quality: Quality
    audit: Audit
    newest: list[NewestRun]
    """Each agent's, the newest first, at most 60."""

    @property
    def today(self) -> Day:
        """The last of the days."""
        return self.days[-1]


async def read_overview(database: Database, project_key: str, time_zone: str) -> Overview:
    """Read it, as of one moment.

    Args:
        database: the tables to read.
        project_key: whose.
        time_zone: IANA name of the zone in which days begin.

    Raises:
        TimeZoneError: no time zone is named so.
        UnknownProjectError: there is no such project.
        ReadUnavailableError: the database does not answer in time.
    """
    zone = find_zone(time_zone)

    async def ask(connection: Connection) -> Overview:
        audit = await read_audit(connection, project_key)
        now = audit.pipeline.read_at
        today_start = day_start(now, zone)
        first, since = begin_week(now, zone)
        scored_since = quarter_start(now - SCORED_OVER)
        asked: Mapping[str, object] = {
            "project_key": project_key,
            "time_zone": zone.key,
            "since": since,
            "scored_since": scored_since,
            "scored_before": scored_since - SCORED_OVER,
            "limit": MOST_CARDS,
        }
        days = await fetch(connection, Day, query("select_project_days"), asked)
        quality = await fetch(connection, Quality, query("select_project_quality"), asked)
        newest = await fetch(connection, NewestRun, query("select_project_cards"), asked)
        return Overview(
            today_start=today_start,
            time_zone=zone.key,
            days=fill_days(days, first),
            quality=quality[0],
            audit=audit,
            newest=newest,
        )

    return await database.answer(ask)


def begin_week(now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
    """Say which the first of the seven days is, and when it began. Where clocks change, a day has not 24 hours."""
    first = now.astimezone(zone).date() - timedelta(days=DAYS - 1)
    return first, day_start(datetime.combine(first, time(12), zone), zone)


def fill_days(days: list[Day], first: date) -> list[Day]:
    """Put days without runs between the others: there are seven, from the first on."""
    known = {day.day: day for day in days}
    wanted = (first + timedelta(days=number) for number in range(DAYS))
    return [known.get(day) or Day(day, 0, 0, 0, 0, 0, None) for day in wanted]
