"""A week as seven small bars with their days' letters: how something went, beside its figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element

_HEIGHT = 36
_LEAST = 1.5
"""Whatever is above 0 can be seen."""


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day."""

    day: date
    value: float | None
    """None is unknown: there is no bar, and the words say so."""
    said: str
    """The value, for people."""


def draw_week(bars: Sequence[DayBar], title: str, most: float | None = None) -> Markup:
    """Draw the bars as a list, so that it can be read out, too.

    Args:
        bars: the oldest first; the last is today.
        title: what they show.
        most: the value of a bar of full height; the largest if left out.
    """
    top = most or max((bar.value or 0 for bar in bars), default=0) or 1
    items = (_draw_day(bar, top, is_today=number == len(bars)) for number, bar in enumerate(bars, 1))
    return element("ol", *items, class_="week", aria_label=title)


def _draw_day(bar: DayBar, top: float, *, is_today: bool) -> Markup:
    height = max(_LEAST, min(1.0, bar.value / top) * _HEIGHT) if bar.value else 0.0
    plot = element(
        "svg",
        element("rect", class_="week-ground", x=0, y=_HEIGHT - 1, width=10, height=1),
        element("rect", class_="week-bar", x=0, y=_HEIGHT - height, width=10, height=height),
        viewBox=f"0 0 10 {_HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    said = f"{bar.day:%a %d %b}: {bar.said}"
    letter = element("span", f"{bar.day:%a}"[:1], class_="week-letter", aria_hidden="true")
    words = element("span", said, class_="sr")
    return element("li", plot, letter, words, class_="today" if is_today else None, title=said)
