"""Charts as inline SVG, drawn by pure functions: values in, markup out. Each has a title, and words beside it."""

from __future__ import annotations

from runledger.analytics.dashboard.charts.bar_chart import Amount, Bar, BarChart, Series, Tone
from runledger.analytics.dashboard.charts.bars import draw_bars
from runledger.analytics.dashboard.charts.scale import count_ticks, money_ticks
from runledger.analytics.dashboard.charts.sparkline import draw_sparkline
from runledger.analytics.dashboard.charts.strip import (
    Cell,
    CellKind,
    draw_large_strip,
    draw_strip,
    draw_strip_legend,
    say_strip,
)

__all__ = [
    "Amount",
    "Bar",
    "BarChart",
    "Cell",
    "CellKind",
    "Series",
    "Tone",
    "count_ticks",
    "draw_bars",
    "draw_large_strip",
    "draw_sparkline",
    "draw_strip",
    "draw_strip_legend",
    "money_ticks",
    "say_strip",
]
