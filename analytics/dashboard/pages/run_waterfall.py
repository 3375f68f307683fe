"""Show a run's steps as a waterfall: a part of the rows at a time, each with its entry as the agent wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from runledger.analytics.dashboard.charts.waterfall import axis, bar, brief
from runledger.analytics.dashboard.charts.waterfall_layout import Row, Waterfall
from runledger.analytics.dashboard.words import line, plain, pretty_json
from runledger.analytics.run_steps import Step, StepEntry

ROWS = 100
"""Rows on one page."""
MOST_INDENT = 10
_MOST_NAME = 64
_MOST_PAGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class StepRow:
    """One row.

    Args:
        step: what is drawn.
        name: for people, in one line.
        details: what kind of step it is, of which model or tool.
        state: ok, error or unknown.
        level: how deep it lies, from 1.
        indent: the same from 0, as far as a page has room.
        bar: where it lies in time.
        when: the same in words: since the start of the axis.
        took: how long, in words.
        note: what must be known of its time; None if nothing.
        raw: its entry as JSON; None where it is too large to stand here.
        raw_bytes: how much that is.
    """

    step: Step
    name: str
    details: list[str]
    state: str
    level: int
    indent: int
    bar: Markup
    when: str
    took: str
    note: str | None
    raw: str | None
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class WaterfallView:
    """A part of a waterfall.

    Args:
        rows: of this part.
        axis: above them.
        first: number of the first row, from 1.
        drawn: steps in the whole waterfall.
        told: steps that the run has told of.
        previous: where the part before begins; None at the start.
        following: where the next part begins; None at the end.
    """

    rows: list[StepRow]
    axis: Markup
    first: int
    drawn: int
    told: int
    previous: int | None
    following: int | None

    @property
    def last(self) -> int:
        """Number of the last row of this part."""
        return self.first + len(self.rows) - 1


def part_of(waterfall: Waterfall, begin: int) -> list[Row]:
    """Choose the rows of the part that begins there, from 0; of the last one where it begins beyond the end."""
    return waterfall.rows[_within(waterfall, begin) :][:ROWS]


def show_waterfall(
    waterfall: Waterfall, begin: int, steps: Sequence[Step], entries: Sequence[StepEntry], told: int
) -> WaterfallView:
    """Show a part of a waterfall.

    Args:
        waterfall: of all steps that were read.
        begin: where the part begins, from 0.
        steps: those that were read; a span's place is its step's.
        entries: those of the rows of the part.
        told: how many the run has told of.
    """
    begin = _within(waterfall, begin)
    whole = {(entry.event_id, entry.number): entry for entry in entries}
    rows, room = [], _MOST_PAGE_BYTES
    for row in part_of(waterfall, begin):
        step = steps[row.span.place]
        entry = whole.get((step.event_id, step.number))
        raw = None
        if entry is not None and entry.trace is not None and entry.trace_bytes <= room:
            raw = pretty_json(entry.trace, room)
            room -= max(entry.trace_bytes, len(raw))
        rows.append(_row(row, step, waterfall, raw, entry.trace_bytes if entry is not None else 0))
    drawn = len(waterfall.rows)
    return WaterfallView(
        rows,
        axis(waterfall),
        begin + 1,
        drawn,
        max(told, drawn),
        max(0, begin - ROWS) if begin else None,
        begin + ROWS if begin + ROWS < drawn else None,
    )


def _within(waterfall: Waterfall, begin: int) -> int:
    return min(begin, (len(waterfall.rows) - 1) // ROWS * ROWS)


def _row(row: Row, step: Step, waterfall: Waterfall, raw: str | None, raw_bytes: int) -> StepRow:
    name = line(row.span.name, _MOST_NAME) or "step"
    # What names the step is not said twice.
    details = [plain(said, _MOST_NAME) for said in (step.kind, step.tool, step.model) if said and said != row.span.name]
    return StepRow(
        step,
        name,
        details,
        row.span.state,
        row.depth + 1,
        min(row.depth, MOST_INDENT),
        bar(row, waterfall),
        _when(row.after),
        "no end told" if row.shape == "open" else "unknown" if row.length is None else brief(row.length),
        _note(row),
        raw,
        raw_bytes,
    )


def _when(after: timedelta) -> str:
    return brief(after) if after.total_seconds() <= 0 else f"+{brief(after)}"


def _note(row: Row) -> str | None:
    if row.is_outside:
        return "its clock is far from the run's"
    if not row.span.is_timed:
        return "tells no time: shown when it was reported"
    return None
