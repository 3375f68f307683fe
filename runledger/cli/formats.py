"""Numbers, money and times as a terminal shows them: short enough to compare, exact enough to trust."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

UNKNOWN = "-"
_UNITS = ((24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s"))
_LARGE = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
_EXACT_BELOW = 100_000
_CENTS = Decimal("0.01")
_FINE = Decimal("0.0001")


def count(value: int | None) -> str:
    """Write a whole number with its thousands; a dash is unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def tokens(value: int | None) -> str:
    """Write a whole number in at most seven characters: 99,999 and then 1.2M; a dash is unknown."""
    if value is None or value < _EXACT_BELOW:
        return count(value)
    for size, unit in _LARGE:
        if value >= size:
            # Cut, not rounded: 999,999 is not yet a million.
            return f"{value * 10 // size / 10:g}{unit}"
    return count(value)


def usd(value: Decimal | None) -> str:
    """Write dollars: cents, and two places more below a dollar; a dash is unknown."""
    if value is None:
        return UNKNOWN
    if 0 < value < _FINE:
        return f"<${_FINE}"
    places = _CENTS if value >= 1 or value == 0 else _FINE
    return f"${value.quantize(places, ROUND_HALF_EVEN):,f}"


def score(value: float | None) -> str:
    """Write a score of 0 to 1; a dash is not scored."""
    return UNKNOWN if value is None else f"{value:.2f}"


def took(seconds: float | None) -> str:
    """Write a length of time in its two largest units, such as 1h30m; below ten seconds with a tenth, or as 20ms."""
    if seconds is None:
        return UNKNOWN
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if 0 < seconds < 10:  # noqa: PLR2004  # what a person tells apart
        return f"{seconds:.1f}s"
    whole = max(0, int(seconds))
    for (unit, name), (lesser, lesser_name) in pairwise(_UNITS):
        if whole >= unit:
            rest = whole % unit // lesser
            return f"{whole // unit}{name}" + (f"{rest}{lesser_name}" if rest else "")
    return f"{whole}s"


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago, in its largest unit: a table is for a glance."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{seconds // unit}{name} ago"
    return "now"


def moment(value: datetime | None) -> str:
    """Write a time to the second, in UTC; a dash is unknown."""
    return UNKNOWN if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def clock(value: datetime) -> str:
    """Write the time of day, in UTC."""
    return f"{value.astimezone(UTC):%H:%M:%S}"


def stamp(value: datetime, today: date) -> str:
    """Write the time of day, in UTC; with its date where that is not today's."""
    value = value.astimezone(UTC)
    return clock(value) if value.date() == today else f"{value:%Y-%m-%d %H:%M:%S}"


def share(part: int, whole: int) -> str:
    """Write a share as a percentage; a dash of nothing."""
    return UNKNOWN if not whole else f"{100 * part / whole:.0f} %"
