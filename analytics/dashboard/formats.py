"""Write values for people; the exact value stands in the title."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup

UNKNOWN = Markup('<span class="unknown">unknown</span>')
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_JUST_NOW_SECONDS = 2
_LONG_AGO_SECONDS = 30 * _DAY
_UNITS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))
_SHORT_FROM = 10_000
_CENT = Decimal("0.01")


def relative(moment: datetime, now: datetime) -> str:
    """Say how long ago, or in how long: `12 s ago`. The script `live.js` has the same rules."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) >= _LONG_AGO_SECONDS:
        return f"{moment.astimezone(UTC):%Y-%m-%d}"
    if abs(seconds) < _JUST_NOW_SECONDS:
        return "just now"
    size = _span(int(abs(seconds)))
    return f"{size} ago" if seconds > 0 else f"in {size}"


def _span(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} d"


def exact(moment: datetime) -> str:
    """Write a moment out: `2026-11-22 10:15:03 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime | None, now: datetime, otherwise: str = "never") -> Markup:
    """Write a moment as a `<time>` that the open page keeps up to date."""
    if moment is None:
        return Markup('<span class="unknown">{}</span>').format(otherwise)
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        moment.astimezone(UTC).isoformat(), exact(moment), relative(moment, now)
    )


def at(moment: datetime | None, otherwise: str = "unknown") -> Markup:
    """Write a moment out exactly, as a `<time>`."""
    if moment is None:
        return Markup('<span class="unknown">{}</span>').format(otherwise)
    return Markup('<time datetime="{}">{}</time>').format(moment.astimezone(UTC).isoformat(), exact(moment))


def count(number: int | None) -> Markup | str:
    """Write a count: whole below 10,000, else short with the whole in the title."""
    if number is None:
        return UNKNOWN
    if abs(number) < _SHORT_FROM:
        return f"{number:,}"
    return Markup('<span title="{}">{}</span>').format(f"{number:,}", short(number))


def short(number: float) -> str:
    """Write a number in at most four figures: `12.3k`, `1.25M`."""
    for size, unit in _UNITS:
        if abs(number) >= size * 0.9995:
            value = number / size
            return f"{value:.{max(0, 3 - len(str(int(abs(value)))))}f}{unit}"
    return f"{number:,.0f}"


def money(usd: Decimal | None) -> Markup:
    """Write US dollars: two places, more where that would hide the amount; all places in the title."""
    if usd is None:
        return UNKNOWN
    return Markup('<span title="{}">{}</span>').format(f"${usd.normalize():,f}", dollars(usd))


def dollars(usd: Decimal) -> str:
    """Write US dollars in short: `$12.34`, `$0.0042`, `$12.3k`."""
    size = abs(usd)
    if size >= _SHORT_FROM:
        return f"${short(float(usd))}"
    if size == 0 or size >= 1:
        return f"${usd:,.2f}"
    if size >= _CENT:
        return f"${usd:.3f}"
    if size < Decimal("0.000001"):
        return "<$0.000001"
    return f"${float(f'{usd:.2g}'):.8f}".rstrip("0")


def duration(seconds: float | timedelta | None) -> Markup | str:
    """Write a length of time: `0.8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds is None:
        return UNKNOWN
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:  # noqa: PLR2004  # below ten seconds a tenth tells something
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit, rest, lesser in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if whole >= size:
            over = whole % size // rest
            return f"{whole // size} {unit}" + (f" {over} {lesser}" if over else "")
    return f"{whole} s"


def share(part: float | None) -> Markup | str:
    """Write a share of 0 to 1 as per cent: `87 %`."""
    if part is None:
        return UNKNOWN
    return f"{part * 100:.0f} %"


def score(value: float | None) -> Markup | str:
    """Write a score of 0 to 1 with two places."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f}"
