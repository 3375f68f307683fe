"""What agents used of late, from real tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from runledger.analytics.agent_usage import UsageReader, UsageWeek
from runledger.analytics.database import Database
from runledger.analytics.errors import TimeZoneError
from tests.integration.analytics.tables import Tables, ago

pytestmark = pytest.mark.integration


def _used(
    tables: Tables, agent_id: str, ended_at: datetime, cost_usd: str | None, tokens: int | None, project: str = "acme"
) -> None:
    tables.heard(project, agent_id, ended_at)
    tables.connection.execute(
        "UPDATE agent_run SET ended_at = heard_at, cost_usd = %s, cost_source = %s, total_tokens = %s"
        " WHERE agent_id = %s AND heard_at = %s AND project_key = %s",
        [cost_usd, "unknown" if cost_usd is None else "reported", tokens, agent_id, ended_at, project],
    )


async def _week(uri: str, time_zone: str = "UTC") -> UsageWeek:
    async with Database(uri) as database:
        week = await UsageReader(database, patience_seconds=30).week("acme", time_zone)
    assert week is not None
    return week


async def test_each_agent_is_added_up_by_what_is_known(uri: str, tables: Tables) -> None:
    noon = tables.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    _used(tables, "sage", noon, "0.25", 100)
    _used(tables, "sage", noon + timedelta(hours=1), None, 7)
    _used(tables, "sage", noon - timedelta(days=1), None, None)
    _used(tables, "nova", noon, "1", None)
    _used(tables, "sage", noon - timedelta(days=8), "99", 99)
    _used(tables, "sage", noon, "99", 99, project="other")
    week = await _week(uri)
    assert set(week.agents) == {"sage", "nova"}
    sage = week.agents["sage"]
    assert (sage.runs, sage.runs_with_cost, sage.cost_usd) == (3, 1, Decimal("0.25"))
    assert (sage.runs_with_tokens, sage.total_tokens) == (2, 107)
    zero = Decimal(0)
    assert week.costs_of("sage") == [zero, zero, zero, zero, None, Decimal("0.25"), zero]
    assert week.costs_of("unheard") == [zero] * 7
    assert len(week.days) == 7
    assert week.days[-2] == noon.date()


async def test_tokens_that_nobody_can_have_used_are_added_up_as_far_as_the_ledger_counts(
    uri: str, tables: Tables
) -> None:
    for hours in (1, 2, 30):
        _used(tables, "sage", ago(tables, hours=hours), None, 2**63 - 1)
    assert (await _week(uri)).agents["sage"].total_tokens == 2**53 - 1


async def test_days_begin_where_the_reader_lives(uri: str, tables: Tables) -> None:
    late = tables.now().replace(hour=23, minute=30, second=0, microsecond=0) - timedelta(days=3)
    _used(tables, "sage", late, "1", None)
    assert (await _week(uri)).agents["sage"].days == [late.date()]
    assert (await _week(uri, "Europe/Berlin")).agents["sage"].days == [late.date() + timedelta(days=1)]


async def test_runs_that_nobody_claimed_are_unknowns(uri: str, tables: Tables) -> None:
    _used(tables, "sage", ago(tables, hours=1), "1", 5)
    tables.connection.execute("UPDATE agent_run SET agent_id = NULL")
    assert (await _week(uri)).agents["unknown"].total_tokens == 5
    tables.connection.execute("UPDATE agent_run SET outcome_revision = 0")
    assert not (await _week(uri)).agents


async def test_a_list_does_not_wait_for_what_takes_long(uri: str, tables: Tables) -> None:
    _used(tables, "sage", ago(tables, hours=1), "1", 5)
    async with Database(uri) as database:
        reader = UsageReader(database, patience_seconds=0)
        assert await reader.week("acme") is None
        patient = UsageReader(database, patience_seconds=30)
        assert await patient.week("acme") is not None


async def test_a_sum_that_fails_is_unknown(uri: str, tables: Tables) -> None:
    tables.project("acme")
    async with Database(uri.replace("dbname=test_", "dbname=none_")) as away:
        assert await UsageReader(away, patience_seconds=30).week("acme") is None


async def test_one_agent_is_added_up_by_day_and_by_month(uri: str, tables: Tables) -> None:
    now = tables.now()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    _used(tables, "sage", noon, "1", 5)
    _used(tables, "sage", noon - timedelta(days=400), "2", 7)
    _used(tables, "nova", noon, "99", 99)
    async with Database(uri) as database:
        reader = UsageReader(database, patience_seconds=30)
        days = await reader.of_agent("acme", "sage", 7, "day", now)
        months = await reader.of_agent("acme", "sage", 24, "month", now)
    assert days is not None
    assert months is not None
    assert [(period.begins_on, period.sums.total_usd) for period in days.table.periods] == [(noon.date(), Decimal(1))]
    assert days.periods[-2] == noon.date()
    first = (noon - timedelta(days=400)).date().replace(day=1)
    assert [(period.begins_on, period.sums.total_tokens) for period in months.table.periods] == [
        (first, 7),
        (noon.date().replace(day=1), 5),
    ]
    assert first in months.periods


async def test_what_nobody_claimed_is_added_up_for_unknown(uri: str, tables: Tables) -> None:
    _used(tables, "sage", ago(tables, hours=1), "1", 5)
    tables.connection.execute("UPDATE agent_run SET agent_id = NULL")
    async with Database(uri) as database:
        costs = await UsageReader(database, patience_seconds=30).of_agent("acme", "unknown", 30, "day", tables.now())
    assert costs is not None
    assert costs.table.total.total_usd == Decimal(1)


async def test_a_zone_that_nobody_knows_is_refused(uri: str) -> None:
    async with Database(uri) as database:
        with pytest.raises(TimeZoneError):
            await UsageReader(database).week("acme", "Mars/Olympus")
