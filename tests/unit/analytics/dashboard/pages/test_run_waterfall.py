"""A run's waterfall, a part at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runledger.analytics.dashboard.charts.waterfall_layout import lay_out
from runledger.analytics.dashboard.pages.run_waterfall import (
    MOST_INDENT,
    ROWS,
    WaterfallView,
    part_of,
    show_waterfall,
)
from runledger.analytics.dashboard.spans import spans_of
from runledger.analytics.run_steps import Step, StepEntry
from tests.unit.analytics.dashboard.runs import NOON
from tests.unit.analytics.dashboard.test_spans import step


def shown(
    steps: list[Step], begin: int = 0, told: int | None = None, entries: list[StepEntry] | None = None
) -> WaterfallView:
    """Return a part of the waterfall of a run that took ten seconds."""
    waterfall = lay_out(spans_of(steps), NOON, NOON + timedelta(seconds=10))
    assert waterfall is not None
    assert [row.span.place for row in part_of(waterfall, begin)]
    return show_waterfall(waterfall, begin, steps, entries or [], len(steps) if told is None else told)


def at(seconds: float, **more: Any) -> Step:  # noqa: ANN401  # any field
    """Return a step that began some seconds after the run."""
    return step(started_at=(NOON + timedelta(seconds=seconds)).isoformat(), **more)


def test_each_row_says_in_words_what_its_bar_shows() -> None:
    view = shown([at(1.5, duration_ms="2500", name="chat", kind="llm"), at(4, name="open"), step(name="untold")])
    assert [(row.name, row.when, row.took, row.note) for row in view.rows] == [
        ("untold", "0", "unknown", "tells no time: shown when it was reported"),
        ("chat", "+1.5 s", "2.5 s", None),
        ("open", "+4 s", "no end told", None),
    ]
    assert view.rows[1].details == ["llm"]


def test_milliseconds_are_told_where_they_count() -> None:
    [row] = shown([at(0.0425, duration_ms="1.25")]).rows
    assert (row.when, row.took) == ("+42.5 ms", "1.25 ms")


def test_a_step_whose_clock_is_far_off_says_so() -> None:
    view = shown([at(1, duration_ms="1"), at(-90_000, duration_ms="1")])
    [far] = [row for row in view.rows if row.note]
    assert far.note == "its clock is far from the run's"
    assert far.when == "-1 d 1 h"


def test_an_entry_stands_below_its_step_while_there_is_room() -> None:
    steps = [at(number, event_id=f"e{number}") for number in range(3)]
    large = 200 * 1024
    entries = [StepEntry("e0", 1, {"a": 1}, large), StepEntry("e1", 1, {"b": 1}, large), StepEntry("e2", 1, None, 9)]
    view = shown(steps, entries=entries)
    assert [(row.raw, row.raw_bytes) for row in view.rows] == [('{\n  "a": 1\n}', large), (None, large), (None, 9)]


def test_a_long_waterfall_is_shown_part_by_part() -> None:
    steps = [at(number / 100) for number in range(2 * ROWS + 5)]
    first, second, last = (shown(steps, begin, told=9000) for begin in (0, ROWS, 2 * ROWS))
    assert [(part.first, part.last, part.previous, part.following) for part in (first, second, last)] == [
        (1, ROWS, None, ROWS),
        (ROWS + 1, 2 * ROWS, 0, 2 * ROWS),
        (2 * ROWS + 1, 2 * ROWS + 5, ROWS, None),
    ]
    assert (last.drawn, last.told) == (len(steps), 9000)


def test_a_part_beyond_the_end_is_the_last_one() -> None:
    steps = [at(number / 100) for number in range(ROWS)]
    assert shown(steps, 4999).first == 1
    assert shown([*steps, at(9)], 4999).first == ROWS + 1


def test_deep_steps_are_indented_as_far_as_there_is_room() -> None:
    steps = [at(0, span_id=str(number), parent_span_id=str(number - 1), duration_ms="1") for number in range(30)]
    view = shown(steps)
    assert [row.level for row in view.rows] == list(range(1, 31))
    assert max(row.indent for row in view.rows) == MOST_INDENT


def test_names_of_others_are_cut_and_obeyed_by_nobody() -> None:
    [row] = shown([at(1, name="\u202e" + "n" * 500, tool="t" * 500)]).rows
    assert row.name.startswith("\ufffdnnn")
    assert len(row.name) <= 64
    assert all(len(detail) <= 64 for detail in row.details)
