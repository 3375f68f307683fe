"""Lay a waterfall out: which span stands in which row, how deep, and where in time. Pure: the drawing is elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from runledger.analytics.dashboard.spans import Span

Shape: TypeAlias = Literal["bar", "open", "point"]
"""bar: began and ended; open: no end is told; point: tells no time, so it stands where it was reported."""
_FAR = 10
"""Steps whose clock is that many lengths of the run off do not squeeze the others: they stand at the edge."""
_MOST_TICKS = 5
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, *(1000 * n for n in (1, 2, 5, 10, 20, 30)))
"""Milliseconds between ticks, up to half a minute."""
_LONG_TICKS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400)
"""Seconds between ticks, beyond."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time a waterfall shows; not empty."""

    starts_at: datetime
    ends_at: datetime

    def place(self, moment: datetime) -> float:
        """Say where a moment stands, 0 to 1; what is beyond stands at the edge."""
        return min(1.0, max(0.0, (moment - self.starts_at) / (self.ends_at - self.starts_at)))


@dataclass(frozen=True, slots=True)
class Row:
    """A span in its row.

    Args:
        span: what is drawn.
        depth: 0 for a span whose parent is not there.
        shape: how it is drawn.
        left: where it begins, 0 to 1.
        width: how wide it is, 0 to 1; `left` and `width` never add up to more than 1.
        after: since the window's start; negative where it began before.
        length: how long it took; None where that is not told.
        is_outside: its clock is far off, so it stands at the edge.
    """

    span: Span
    depth: int
    shape: Shape
    left: float
    width: float
    after: timedelta
    length: timedelta | None
    is_outside: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis."""

    left: float
    after: timedelta


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Rows from top to bottom: every span once, children below their parents, in the order in which they began."""

    window: Window
    rows: list[Row]
    ticks: list[Tick]


def lay_out(spans: Sequence[Span], began_at: datetime | None, ended_at: datetime | None) -> Waterfall | None:
    """Lay out spans; None where there are none.

    Args:
        spans: in any order; their places differ.
        began_at: when the run began; None where it does not say.
        ended_at: when it ended, now if it goes on; None where nobody knows.
    """
    if not spans:
        return None
    window = _window(spans, began_at, ended_at)
    rows = [_row(span, depth, window) for span, depth in _in_order(spans)]
    return Waterfall(window, rows, _ticks(window))


def _window(spans: Sequence[Span], began_at: datetime | None, ended_at: datetime | None) -> Window:
    starts_at = min(span.starts_at for span in spans)
    ends_at = max(span.ends_at or span.starts_at for span in spans)
    if began_at is not None and ended_at is not None and ended_at > began_at:
        all_starts_at, all_ends_at = min(starts_at, began_at), max(ends_at, ended_at)
        if all_ends_at - all_starts_at > _FAR * (ended_at - began_at):
            return Window(began_at, ended_at)
        return Window(all_starts_at, all_ends_at)
    if ends_at == starts_at:
        ends_at = _later(starts_at)
    return Window(starts_at, ends_at) if ends_at > starts_at else Window(starts_at - timedelta(milliseconds=1), ends_at)


def _later(moment: datetime) -> datetime:
    try:
        return moment + timedelta(milliseconds=1)
    except OverflowError:
        return moment


def _in_order(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Put children below their parents. Without recursion, since depth is others' to choose; a ring is cut open."""
    by_start = sorted(spans, key=_by_start)
    first_of = {span.span_id: span for span in reversed(by_start) if span.span_id is not None}
    children: defaultdict[int, list[Span]] = defaultdict(list)
    roots = []
    for span in by_start:
        parent = first_of.get(span.parent_id) if span.parent_id is not None else None
        if parent is None or parent is span:
            roots.append(span)
        else:
            children[parent.place].append(span)
    ordered: list[tuple[Span, int]] = []
    seen: set[int] = set()
    # What hangs on a ring alone is reached from no root: then the earliest of the ring is taken for one.
    for root in (*roots, *by_start):
        waiting = [(root, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.place in seen:
                continue
            seen.add(span.place)
            ordered.append((span, depth))
            waiting += [(child, depth + 1) for child in reversed(children[span.place])]
    return ordered


def _by_start(span: Span) -> tuple[datetime, float, int]:
    """Sort the earlier first, of two the longer: it may hold the other."""
    length = (span.ends_at - span.starts_at).total_seconds() if span.ends_at is not None else 0.0
    return span.starts_at, -length, span.place


def _row(span: Span, depth: int, window: Window) -> Row:
    ends_at = span.ends_at or (window.ends_at if span.is_timed else span.starts_at)
    left, right = window.place(span.starts_at), window.place(max(ends_at, span.starts_at))
    is_outside = ends_at < window.starts_at or span.starts_at > window.ends_at
    shape: Shape = "point" if not span.is_timed or is_outside else "open" if span.ends_at is None else "bar"
    length = None if span.ends_at is None else span.ends_at - span.starts_at
    return Row(span, depth, shape, left, right - left, span.starts_at - window.starts_at, length, is_outside)


def _ticks(window: Window) -> list[Tick]:
    length = window.ends_at - window.starts_at
    steps = [timedelta(milliseconds=size) for size in _TICKS] + [timedelta(seconds=size) for size in _LONG_TICKS]
    step = next((step for step in steps if length / step <= _MOST_TICKS), None)
    if step is None:
        step = timedelta(days=-(-length.days // _MOST_TICKS))
    return [Tick(number * step / length, number * step) for number in range(int(length / step) + 1)]
