"""Days in time zones: skipped midnights, doubled ones, and names that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.days import QUARTER, day_start, find_zone, quarter_start
from runledger.analytics.errors import TimeZoneError

_MOMENTS = st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


@pytest.mark.parametrize(
    ("zone", "now", "start"),
    [
        ("UTC", "2026-03-01T23:59:59+00:00", "2026-03-01T00:00:00+00:00"),
        ("Asia/Kolkata", "2026-03-01T18:29:59+00:00", "2026-02-28T18:30:00+00:00"),
        ("Asia/Kolkata", "2026-03-01T18:30:00+00:00", "2026-03-01T18:30:00+00:00"),
        ("Asia/Kathmandu", "2026-03-01T18:15:00+00:00", "2026-03-01T18:15:00+00:00"),
        # The day on which Berlin's clocks go forward has 23 hours.
        ("Europe/Berlin", "2026-03-29T12:00:00+00:00", "2026-03-28T23:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29T22:00:00+00:00", "2026-03-29T22:00:00+00:00"),
        # In Beirut they go forward at midnight: 00:00 does not exist, the day begins at 01:00 there.
        ("Asia/Beirut", "2026-03-29T05:00:00+00:00", "2026-03-28T22:00:00+00:00"),
        # In Havana they go back at 01:00: midnight comes twice.
        ("America/Havana", "2026-11-01T12:00:00+00:00", "2026-11-01T04:00:00+00:00"),
    ],
)
def test_a_day_begins_at_its_first_moment(zone: str, now: str, start: str) -> None:
    assert day_start(datetime.fromisoformat(now), find_zone(zone)) == datetime.fromisoformat(start)


@pytest.mark.parametrize("name", ["localtime", "Factory"])
def test_a_file_beside_the_zones_is_no_zone(name: str) -> None:
    with pytest.raises(TimeZoneError):
        find_zone(name)


@given(_MOMENTS, _ZONES)
def test_a_day_holds_its_moment_and_begins_on_a_quarter(now: datetime, zone: ZoneInfo) -> None:
    start = day_start(now, zone)
    just_before = start - timedelta(microseconds=1)
    today = now.astimezone(zone).date()
    assert start <= now
    assert start.astimezone(zone).date() == today
    assert just_before.astimezone(zone).date() < today
    assert quarter_start(start) == start


@given(_MOMENTS)
def test_a_quarter_holds_its_moment(moment: datetime) -> None:
    start = quarter_start(moment)
    assert start <= moment < start + QUARTER
    assert start.timestamp() % QUARTER.total_seconds() == 0


@pytest.mark.parametrize(
    "name",
    ["", "utc ", "Mars/Olympus", "../../../etc/passwd", "/etc/localtime", "right/UTC", "UTC\0", "Europe", "x" * 10_000],
    ids=["empty", "space", "mars", "climbing", "absolute", "leap-seconds", "nul", "folder", "long"],
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(TimeZoneError, match="IANA"):
        find_zone(name)
