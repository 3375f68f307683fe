"""When today began, in a time zone that somebody names."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from runledger.analytics.errors import TimeZoneError

QUARTER = timedelta(minutes=15)
"""Figures are kept by quarters of an hour: in every time zone of today days begin on one."""


_NO_ZONES = frozenset({"Factory", "localtime"})
"""Files beside the zones: what a clock has that nobody set, and whatever this machine keeps."""


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name, such as Europe/Berlin.

    Raises:
        TimeZoneError: none is named so.
    """
    # Names are looked up, never opened: a name is a path under the folder of zones.
    if name not in _names():
        raise TimeZoneError("time_zone must be an IANA name, such as UTC or Europe/Berlin")
    return ZoneInfo(name)


def day_start(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of the day that `now` (aware) lies in, in UTC.

    Where clocks skip midnight the day begins with the moment of the skip; where midnight comes twice, with the first.
    """
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, zone)
    return midnight.astimezone(UTC)


def quarter_start(moment: datetime) -> datetime:
    """Return the start of the quarter of an hour that a moment (aware) lies in, in UTC."""
    moment = moment.astimezone(UTC)
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour + (moment - hour) // QUARTER * QUARTER
