"""The plot of a chart of bars. It is stretched to the width it finds, so no words are in it but titles."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from runledger.analytics.dashboard.charts.bar_chart import Bar, BarChart, say_bar, say_extent
from runledger.analytics.dashboard.charts.svg import element

_HEIGHT = 100
_SLOT = 10
_GAP = 2
"""Lengths of which only the ratio matters."""


def draw_plot(chart: BarChart, ticks: Sequence[Decimal]) -> Markup:
    """Draw the bars, over lines at the ticks.

    Args:
        chart: with one bar or more.
        ticks: from 0 to one that no bar is higher than.
    """
    top = ticks[-1]
    empty = max(0, chart.places - len(chart.bars))
    width = (empty + len(chart.bars)) * _SLOT
    lines = (
        element("line", class_="chart-line", x1=0, x2=width, y1=y, y2=y)
        for y in (_HEIGHT - float(tick / top) * _HEIGHT for tick in ticks)
    )
    linked = any(bar.href for bar in chart.bars)
    said = f"{chart.title}: {say_extent(chart)}"
    return element(
        "svg",
        element("title", said),
        *lines,
        *(_draw_bar(chart, bar, place * _SLOT, top) for place, bar in enumerate(chart.bars, empty)),
        class_="chart-plot",
        viewBox=f"0 0 {width} {_HEIGHT}",
        preserveAspectRatio="none",
        role="group" if linked else "img",
        aria_label=said if linked else None,
    )


def _draw_bar(chart: BarChart, bar: Bar, left: float, top: Decimal) -> Markup:
    parts = []
    reached = Decimal(0)
    for series, value in zip(chart.series, bar.values, strict=True):
        if not value:
            continue
        reached += value
        y = _HEIGHT - float(reached / top) * _HEIGHT
        height = float(Decimal(value) / top) * _HEIGHT
        parts.append(
            element("rect", class_=f"tone-{series.tone}", x=left + _GAP / 2, y=y, width=_SLOT - _GAP, height=height)
        )
    said = f"{bar.label}: {say_bar(chart, bar)}"
    hit = element("rect", class_="hit", x=left, y=0, width=_SLOT, height=_HEIGHT)
    whole = element("g", element("title", said), hit, *parts, class_="bar")
    if bar.href is None:
        return whole
    return element("a", whole, href=bar.href, aria_label=said, tabindex="-1")
