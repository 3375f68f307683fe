"""Days and months up to now, and what a week says of an agent that used nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.agent_usage import AgentUsage, UsageWeek, last_days, last_months

UTC_ZONE = ZoneInfo("UTC")
_moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive


def test_the_last_day_is_today_where_the_reader_lives() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert last_days(late, UTC_ZONE, 2) == [date(2026, 2, 27), date(2026, 2, 28)]
    assert last_days(late, ZoneInfo("Europe/Berlin"), 2) == [date(2026, 2, 28), date(2026, 3, 1)]


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2026, 3, 31, tzinfo=UTC), [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]),
        (datetime(2026, 1, 1, tzinfo=UTC), [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]),
    ],
)
def test_months_are_named_by_their_first_days_over_the_turn_of_a_year(now: datetime, months: list[date]) -> None:
    assert last_months(now, UTC_ZONE, 3) == months


@given(_moments, st.integers(1, 120))
def test_periods_follow_each_other_up_to_now(now: datetime, number: int) -> None:
    for periods in (last_days(now, UTC_ZONE, number), last_months(now, UTC_ZONE, number)):
        assert len(set(periods)) == number
        assert periods == sorted(periods)
        assert periods[-1] <= now.date()
        assert (periods[-1].year, periods[-1].month) == (now.year, now.month)


def test_a_day_without_runs_cost_nothing_and_one_that_says_nothing_is_unknown() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]
    used = AgentUsage("sage", 3, 1, Decimal(2), 0, None, days[1:], [None, Decimal(2)])
    week = UsageWeek(days, {"sage": used}, datetime(2026, 3, 3, tzinfo=UTC))
    assert week.costs_of("sage") == [Decimal(0), None, Decimal(2)]
    assert week.costs_of("nobody") == [Decimal(0)] * 3
