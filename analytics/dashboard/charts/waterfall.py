"""Draw a waterfall's rows and its axis. A table holds them, and says in words what they show."""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element
from runledger.analytics.dashboard.charts.waterfall_layout import Row, Waterfall
from runledger.analytics.dashboard.formats import duration

_HEIGHT = 18
_MIDDLE = _HEIGHT / 2
_RADIUS = 4
_THINNEST = 0.004
_STROKE = 2
_LAST_TICK = 0.96
"""A label that begins further right would be cut off."""


def bar(row: Row, waterfall: Waterfall) -> Markup:
    """Draw one row, as wide as its cell, so that all share the axis. Who does not see it reads the cells beside it."""
    lines = [
        element("line", x1=_share(tick.left), x2=_share(tick.left), y1=0, y2=_HEIGHT, class_="tick")
        for tick in waterfall.ticks
    ]
    return _drawing("span-bar", *lines, _shape(row))


def _shape(row: Row) -> Markup:
    kind = f"span-{row.shape} span-{row.span.state}"
    if row.shape == "point":
        # Within the cell at its edges, too.
        return element("circle", cx=_share(row.left * 0.98 + 0.01), cy=_MIDDLE, r=_RADIUS, class_=kind)
    # Too short to be seen is drawn as a stroke.
    width = _share(row.width) if row.width > _THINNEST else _STROKE
    left = _share(min(row.left, 1 - _THINNEST))
    return element("rect", x=left, y=4, width=width, height=_HEIGHT - 8, rx=2, class_=kind)


def axis(waterfall: Waterfall) -> Markup:
    """Draw the time axis that stands above the rows."""
    labels = [
        element(
            "text",
            brief(tick.after),
            x=_share(tick.left),
            y=12,
            class_="tick-label",
            text_anchor="start" if tick.left < 0.02 else "middle" if tick.left < _LAST_TICK else "end",  # noqa: PLR2004
        )
        for tick in waterfall.ticks
    ]
    return _drawing("span-axis", *labels)


def brief(length: timedelta) -> str:
    """Write a length of time; milliseconds count where calls are compared."""
    seconds = length.total_seconds()
    if seconds == 0:
        return "0"
    if abs(seconds) < 0.9995:  # noqa: PLR2004  # else three figures of it are a second
        return f"{seconds * 1000:.3g} ms"
    return str(duration(length)) if seconds > 0 else f"-{duration(-length)}"


def _drawing(class_: str, *children: Markup) -> Markup:
    # Without a viewBox: shares of the width stay shares, and letters keep their form.
    return element("svg", *children, class_=class_, width="100%", height=_HEIGHT, aria_hidden="true", focusable="false")


def _share(part: float) -> str:
    return f"{part * 100:.3f}".rstrip("0").rstrip(".") + "%"
