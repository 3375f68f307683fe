"""What a chart of bars shows, and how it is said in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from runledger.analytics.dashboard.charts.scale import count_ticks

Tone: TypeAlias = Literal["first", "second", "third", "good", "bad", "warn", "calm"]
"""Which colour; the stylesheet has them as `tone-first` and so on."""
Amount: TypeAlias = int | Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """One of the parts that bars are made of."""

    name: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    label: str
    """What it is of, in full: a day, a run."""
    tick: str
    """The same in short, for the axis."""
    values: tuple[Amount | None, ...]
    """One for each series, from below; none below 0. None is unknown: nothing is drawn, and the words say so."""
    note: str = ""
    """What else is said of it."""
    href: str | None = None
    """Where it leads."""


@dataclass(frozen=True, slots=True)
class BarChart:
    """What is drawn."""

    title: str
    series: tuple[Series, ...]
    bars: Sequence[Bar]
    """The oldest first."""
    say: Callable[[Amount], str]
    """Writes a value for people."""
    label_header: str = "Day"
    """What the bars are of, as the table's first header."""
    say_ticks: Callable[[Sequence[Decimal]], Sequence[str]] = count_ticks
    """Writes the axis; `money_ticks` writes dollars."""
    whole: bool = False
    """Values are counts."""
    places: int = 0
    """Room for at least so many bars; what there are stand at the right."""
    empty: str = "Nothing in this time."
    """What is said instead where there is nothing above 0."""
    unknown: str = "Unknown: no run says."
    """And where that is because something is unknown."""


def known(bar: Bar) -> Decimal:
    """Add up what is known of a bar."""
    return sum((Decimal(value) for value in bar.values if value is not None), Decimal(0))


def say_sum(chart: BarChart, bar: Bar) -> str:
    """Write what is known of a bar, added up."""
    amount = known(bar)
    return chart.say(int(amount) if chart.whole else amount)


def say_bar(chart: BarChart, bar: Bar) -> str:
    """Say a bar in words: its sum, its parts where there are several, and what else is said of it."""
    if all(value is None for value in bar.values):
        said = "unknown"
    else:
        parts = [
            f"{series.name} {chart.say(value)}" for series, value in zip(chart.series, bar.values, strict=True) if value
        ]
        said = say_sum(chart, bar) + (f" ({', '.join(parts)})" if len(parts) > 1 else "")
    return f"{said}; {bar.note}" if bar.note else said


def say_extent(chart: BarChart) -> str:
    """Say the whole in one sentence: from where to where, and the highest bar."""
    highest = max(chart.bars, key=known)
    if len(chart.bars) == 1:
        return f"{highest.label} {say_sum(chart, highest)}."
    ends = f"{chart.bars[0].label} to {chart.bars[-1].label}"
    return f"{ends}, at most {say_sum(chart, highest)} ({highest.label})."
