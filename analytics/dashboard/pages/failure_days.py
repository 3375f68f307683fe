"""The last days of a kind of failure: which they are, and how often it happened on each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from runledger.analytics.days import day_start, find_zone
from runledger.analytics.failure_story import MOST_COUNTED, FailureDays

NO_DAYS = FailureDays({})
TOO_MANY_TODAY = f"{MOST_COUNTED:,} failures or more today: too many to count by day."


class LastDays:
    """Some days up to today, in a time zone.

    Args:
        now: decides what today is.
        time_zone: IANA name.
        count: so many, today included.

    Raises:
        TimeZoneError: no time zone is named so.
    """

    def __init__(self, now: datetime, time_zone: str, count: int) -> None:
        zone = find_zone(time_zone)
        self._zone = zone
        today = now.astimezone(zone).date()
        self.days: list[date] = [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
        """The oldest first."""
        self.since = day_start(datetime.combine(self.days[0], datetime.min.time().replace(hour=12), zone), zone)
        """When the first of them began."""

    def counts(self, days: FailureDays) -> list[int | None]:
        """Say for each day how often it happened; None where that was not counted, or in part only."""
        uncounted = None if days.counted_since is None else days.counted_since.astimezone(self._zone).date()
        return [days.by_day.get(day, 0) if uncounted is None or day > uncounted else None for day in self.days]


def say_days(counts: Sequence[int | None]) -> str:
    """Say in words what the days' chart shows."""
    known = [number for number in counts if number is not None]
    if not known:
        return TOO_MANY_TODAY
    more = "more than " if len(known) < len(counts) else ""
    total = sum(known)
    return f"Last {len(counts)} days: {more}{total:,} {'failure' if total == 1 else 'failures'}, {counts[-1]:,} today"
