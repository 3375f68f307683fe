"""The public figures: tasks completed today, how good the work was, and what each agent did last.

Only projects that opted in are counted (project.is_public). The day's count is that of the second source document,
"Intelligence Dashboard Integration", read from the rollup instead of the whole log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from runledger.analytics.counters import AGENT_RUNS, CompletedCounts
from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.days import day_start, find_zone, quarter_start
from runledger.analytics.pipeline import Pipeline, read_pipeline
from runledger.analytics.sharing import Shared
from runledger.schemas.outcomes import OutcomeStatus

CardStatus: TypeAlias = Literal["completed", "failed"]
SCORED_OVER = timedelta(days=7)
MOST_CARDS = 100
FRESH_SECONDS = 5.0
"""Anybody may ask, as often as they like: the tables are asked this seldom for each time zone."""
_SUMMARY_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class AgentCard:
    """An agent's newest run, as the dashboard shows it."""

    title: str
    """Name and role, such as "Sage -- Backend"; its id where no name is set, and no role where none is."""
    agent_id: str
    action_summary: str | None
    """What it says it did, at most 500 characters of it; None where it says nothing."""
    status: CardStatus
    ran_at: datetime
    """When the run ended, by the agent's own time."""
    ran_seconds_ago: float
    """Before `pipeline.read_at`."""


@dataclass(frozen=True, slots=True)
class Intelligence:
    """The figures as they stood at `pipeline.read_at`; `pipeline.as_of` says up to when the tables are complete."""

    tasks_completed_today: int
    """Sum of what is known of the breakdown."""
    breakdown: dict[str, int | None]
    """{count: tasks}: agent_runs, and each registered one; None where one did not answer."""
    unavailable: list[str]
    """Counts that did not answer, and are in no sum."""
    today_start: datetime
    time_zone: str
    rlhf_quality_score_7d: float | None
    """Mean score, 0 to 1, of the runs whose rows were inserted since `scored_since`; None where none has a score."""
    rlhf_quality_sample_size: int
    scored_since: datetime
    """Seven days ago, or up to 15 minutes before: the start of that quarter of an hour."""
    agents: list[AgentCard]
    """The newest first, at most 100."""
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """What the rollup says."""

    successful_runs: int
    scored_runs: int
    mean_score: float | None


@dataclass(frozen=True, slots=True)
class CardRow:
    """An agent's newest run."""

    agent_id: str
    name: str | None
    role: str | None
    action_summary: str | None
    status: OutcomeStatus
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    pipeline: Pipeline
    today_start: datetime
    scored_since: datetime
    figures: FiguresRow
    cards: list[CardRow]


class IntelligenceReader:
    """Reads the public figures. Keep one: whoever asks within five seconds of another is answered the same.

    Args:
        database: the tables to read.
        counts: of other systems, added to the day's tasks.
        fresh_seconds: how long an answer is given again.
    """

    def __init__(self, database: Database, counts: CompletedCounts, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._database = database
        self._counts = counts
        self._shared: Shared[str, Intelligence] = Shared(fresh_seconds)

    async def read(self, time_zone: str = "UTC") -> Intelligence:
        """Read the figures of today, which begins at midnight in a time zone.

        Args:
            time_zone: IANA name.

        Raises:
            TimeZoneError: no time zone is named so.
            ReadUnavailableError: the database does not answer in time.
        """
        zone = find_zone(time_zone)
        return await self._shared.get(time_zone, lambda: self._read(zone))

    async def _read(self, zone: ZoneInfo) -> Intelligence:
        read = await self._database.answer(lambda connection: _read(connection, zone))
        breakdown: dict[str, int | None] = {AGENT_RUNS: read.figures.successful_runs}
        breakdown |= await self._counts.since(read.today_start)
        return Intelligence(
            tasks_completed_today=sum(count for count in breakdown.values() if count is not None),
            breakdown=breakdown,
            unavailable=[name for name, count in breakdown.items() if count is None],
            today_start=read.today_start,
            time_zone=zone.key,
            rlhf_quality_score_7d=read.figures.mean_score,
            rlhf_quality_sample_size=read.figures.scored_runs,
            scored_since=read.scored_since,
            agents=[make_card(row, read.pipeline.read_at) for row in read.cards],
            pipeline=read.pipeline,
        )


async def _read(connection: Connection, zone: ZoneInfo) -> _Read:
    pipeline = await read_pipeline(connection)
    # The database's clock, by which rows are inserted, decides which day it is.
    today_start = day_start(pipeline.read_at, zone)
    scored_since = quarter_start(pipeline.read_at - SCORED_OVER)
    asked = {"today": today_start, "scored_since": scored_since}
    figures = await fetch(connection, FiguresRow, query("select_public_figures"), asked)
    cards = await fetch(connection, CardRow, query("select_agent_cards"), {"limit": MOST_CARDS})
    return _Read(pipeline, today_start, scored_since, figures[0], cards)


def make_card(row: CardRow, now: datetime) -> AgentCard:
    """Make the card of an agent's newest run."""
    summary = row.action_summary
    if summary is not None and len(summary) > _SUMMARY_CHARACTERS:
        summary = summary[: _SUMMARY_CHARACTERS - 1] + "…"
    name = row.name or row.agent_id
    return AgentCard(
        title=f"{name} -- {row.role}" if row.role else name,
        agent_id=row.agent_id,
        action_summary=summary,
        status="failed" if row.status == "failed" else "completed",
        ran_at=row.ended_at,
        ran_seconds_ago=max(0.0, (now - row.ended_at).total_seconds()),
    )
