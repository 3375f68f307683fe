"""The week of a project's overview."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from runledger.analytics.overview import begin_week

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "first", "began_at"),
    [
        (datetime(2026, 11, 22, 12, tzinfo=UTC), date(2026, 11, 16), datetime(2026, 11, 15, 23, tzinfo=UTC)),
        # Clocks went back on October 25th: 144 hours before is the day after the first.
        (datetime(2026, 10, 26, 22, 30, tzinfo=UTC), date(2026, 10, 20), datetime(2026, 10, 19, 22, tzinfo=UTC)),
        # And forward on March 29th.
        (datetime(2026, 3, 29, 22, 15, tzinfo=UTC), date(2026, 3, 24), datetime(2026, 3, 23, 23, tzinfo=UTC)),
    ],
)
def test_the_week_begins_with_a_day_of_the_time_zone(now: datetime, first: date, began_at: datetime) -> None:
    assert begin_week(now, BERLIN) == (first, began_at)
