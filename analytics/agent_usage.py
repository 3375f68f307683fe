"""What agents used of late: a week of all of them, or one day by day. Sums may be dear: no page waits long for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg

from runledger.analytics.cost_table import CostQuestion, CostReader, CostTable, Step
from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.days import day_start, find_zone
from runledger.analytics.errors import ReadUnavailableError, TimeZoneError
from runledger.analytics.pipeline import read_pipeline
from runledger.analytics.sharing import Shared

USAGE_DAYS = 7
PATIENCE_SECONDS = 1.5
"""A page does not wait longer for what it can do without."""
_REST = 10.0
"""Every run of the week is added up: so at most a tenth of the time is spent on it, however many they are."""
_AnswerT = TypeVar("_AnswerT")


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """What one agent's runs used and cost; only what is known is added up, and how much that is stands beside it."""

    agent_id: str
    runs: int
    runs_with_cost: int
    cost_usd: Decimal | None
    runs_with_tokens: int
    total_tokens: int | None
    days: list[date]
    """Days on which a run counts."""
    day_costs_usd: list[Decimal | None]
    """The cost of each."""


@dataclass(frozen=True, slots=True)
class UsageWeek:
    """What agents used today and on the six days before."""

    days: list[date]
    """The seven, today last."""
    agents: Mapping[str, AgentUsage]
    """By agent; those that used nothing are missing."""
    read_at: datetime
    """When it was added up, by the database's clock."""

    def costs_of(self, agent_id: str) -> list[Decimal | None]:
        """Return what an agent cost on each of the seven days; 0 where nothing ran, None where nobody knows."""
        usage = self.agents.get(agent_id)
        known = {} if usage is None else dict(zip(usage.days, usage.day_costs_usd, strict=True))
        return [known.get(day, Decimal(0)) for day in self.days]


@dataclass(frozen=True, slots=True)
class AgentCosts:
    """What one agent cost, by day or month."""

    periods: list[date]
    """All that were asked for, the present one last; of those without runs the table says nothing."""
    table: CostTable


class UsageReader:
    """Reads what agents used. Keep one: whoever asks soon after a sum that took long is answered the same.

    Args:
        database: the tables to read.
        patience_seconds: how long to wait.
    """

    def __init__(self, database: Database, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._database = database
        self._patience_seconds = patience_seconds
        self._weeks: Shared[tuple[Hashable, ...], UsageWeek | None] = Shared(0, rest=_REST)
        self._agents: Shared[tuple[Hashable, ...], AgentCosts | None] = Shared(0, rest=_REST)

    async def week(self, project_key: str, time_zone: str = "UTC") -> UsageWeek | None:
        """Add up the week of every agent; None where that takes longer than a page can wait. It goes on: ask again.

        Args:
            project_key: whose.
            time_zone: IANA name of the zone in which days begin.

        Raises:
            TimeZoneError: no time zone is named so.
        """
        zone = find_zone(time_zone)

        async def ask() -> UsageWeek:
            try:
                return await self._database.answer(lambda connection: read_week(connection, project_key, zone))
            except psycopg.errors.InvalidParameterValue as error:
                raise TimeZoneError("the database knows no such time_zone") from error

        return await self._patiently(self._weeks, (project_key, zone.key), ask)

    async def of_agent(
        self, project_key: str, agent_id: str, number: int, step: Step, now: datetime, time_zone: str = "UTC"
    ) -> AgentCosts | None:
        """Add up one agent by day or month; None as for `week`.

        Args:
            project_key: whose.
            agent_id: the agent.
            number: of days or months, the present one the last of them.
            step: which of both.
            now: what the present is.
            time_zone: IANA name of the zone in which days begin.

        Raises:
            TimeZoneError: no time zone is named so.
        """
        zone = find_zone(time_zone)
        periods = last_days(now, zone, number) if step == "day" else last_months(now, zone, number)
        since, until = (
            _begin(periods[0], zone),
            now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2),
        )
        question = CostQuestion(project_key, since, until, zone.key, step, agent_id=agent_id)

        async def ask() -> AgentCosts:
            return AgentCosts(periods, await CostReader(self._database).read(question))

        return await self._patiently(self._agents, (question,), ask)

    async def _patiently(
        self,
        shared: Shared[tuple[Hashable, ...], _AnswerT | None],
        key: tuple[Hashable, ...],
        ask: Callable[[], Coroutine[Any, Any, _AnswerT]],
    ) -> _AnswerT | None:
        async def ask_once() -> _AnswerT | None:
            try:
                return await ask()
            except ReadUnavailableError:
                return None  # remembered: what took too long is not tried again at once

        try:
            return await asyncio.wait_for(shared.get(key, ask_once), self._patience_seconds)
        except TimeoutError:
            return None


async def read_week(connection: Connection, project_key: str, zone: ZoneInfo) -> UsageWeek:
    """Add up the week on a connection of `Database.answer`."""
    now = (await read_pipeline(connection)).read_at
    days = last_days(now, zone, USAGE_DAYS)
    asked = {"project_key": project_key, "since": _begin(days[0], zone), "time_zone": zone.key}
    rows = await fetch(connection, AgentUsage, query("select_agent_usage"), asked)
    return UsageWeek(days, {row.agent_id: row for row in rows}, now)


def last_days(now: datetime, zone: ZoneInfo, number: int) -> list[date]:
    """Return so many days, today, in a time zone, the last of them."""
    today = now.astimezone(zone).date()
    return [today - timedelta(days=before) for before in reversed(range(number))]


def last_months(now: datetime, zone: ZoneInfo, number: int) -> list[date]:
    """Return the first days of so many months, the present one, in a time zone, the last of them."""
    today = now.astimezone(zone).date()
    months = today.year * 12 + today.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(months - number + 1, months + 1)]


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return day_start(datetime.combine(day, time(12), zone), zone)
