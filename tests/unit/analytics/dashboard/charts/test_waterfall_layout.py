"""Where a waterfall's rows and bars stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.charts.waterfall_layout import Row, Waterfall, lay_out
from runledger.analytics.dashboard.spans import Span

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    """Return a moment after noon."""
    return NOON + seconds * SECOND


def span(
    place: int,
    starts: float,
    ends: float | None,
    span_id: str | None = None,
    parent: str | None = None,
    *,
    is_timed: bool = True,
) -> Span:
    """Return a span between two moments, in seconds after noon."""
    ends_at = None if ends is None else at(ends)
    return Span(place, span_id or f"s{place}", parent, f"step {place}", "ok", at(starts), ends_at, is_timed)


def laid_out(*spans: Span, began: float | None = None, ended: float | None = None) -> Waterfall:
    """Return the layout of spans in a run that began and ended at some seconds after noon."""
    found = lay_out(spans, None if began is None else at(began), None if ended is None else at(ended))
    assert found is not None
    return found


def order(layout: Waterfall) -> list[tuple[int, int]]:
    """Return (place, depth) of each row, from top to bottom."""
    return [(row.span.place, row.depth) for row in layout.rows]


def bar(row: Row) -> tuple[str, float, float]:
    """Return how a row is drawn."""
    return row.shape, round(row.left, 4), round(row.width, 4)


def test_no_spans_make_no_waterfall() -> None:
    assert lay_out([], NOON, at(1)) is None


def test_children_stand_below_their_parents_in_the_order_in_which_they_began() -> None:
    layout = laid_out(
        span(0, 0, 10, "root"),
        span(1, 6, 8, "late", "root"),
        span(2, 1, 5, "early", "root"),
        span(3, 2, 3, "inner", "early"),
        span(4, 20, 21, "other"),
    )
    assert order(layout) == [(0, 0), (2, 1), (3, 2), (1, 1), (4, 0)]


def test_of_two_that_begin_at_once_the_longer_stands_first() -> None:
    assert order(laid_out(span(0, 0, 1), span(1, 0, 5), span(2, 0, 1))) == [(1, 0), (0, 0), (2, 0)]


def test_overlapping_spans_stand_each_where_they_were() -> None:
    layout = laid_out(span(0, 0, 6), span(1, 4, 10), began=0, ended=10)
    assert [bar(row) for row in layout.rows] == [("bar", 0, 0.6), ("bar", 0.4, 0.6)]


def test_a_child_told_before_its_parent_and_one_without_a_parent_are_both_there() -> None:
    layout = laid_out(span(0, 1, 2, "child", "root"), span(1, 0, 3, "root"), span(2, 1, 2, "stray", "never told"))
    assert order(layout) == [(1, 0), (0, 1), (2, 0)]


def test_a_span_of_no_length_has_its_place_and_no_width() -> None:
    layout = laid_out(span(0, 5, 5), began=0, ended=10)
    assert bar(layout.rows[0]) == ("bar", 0.5, 0)
    assert layout.rows[0].length == timedelta(0)


def test_a_span_without_an_end_is_open_up_to_the_end_of_the_run() -> None:
    layout = laid_out(span(0, 5, None), began=0, ended=20)
    assert bar(layout.rows[0]) == ("open", 0.25, 0.75)
    assert layout.rows[0].length is None


def test_a_step_that_tells_no_time_is_a_point_where_it_was_reported() -> None:
    layout = laid_out(span(0, 5, None, is_timed=False), began=0, ended=10)
    assert bar(layout.rows[0]) == ("point", 0.5, 0)


def test_steps_beyond_the_run_widen_the_window() -> None:
    layout = laid_out(span(0, -10, 0), span(1, 10, 20), began=0, ended=10)
    assert (layout.window.starts_at, layout.window.ends_at) == (at(-10), at(20))
    assert not any(row.is_outside for row in layout.rows)


def test_a_clock_that_is_far_off_does_not_squeeze_the_others() -> None:
    layout = laid_out(span(0, 2, 4), span(1, -5000, -4000), span(2, 9000, 9001), began=0, ended=10)
    assert (layout.window.starts_at, layout.window.ends_at) == (at(0), at(10))
    drawn = {row.span.place: (bar(row), row.is_outside) for row in layout.rows}
    assert drawn[0] == (("bar", 0.2, 0.2), False)
    assert drawn[1] == (("point", 0, 0), True)
    assert drawn[2] == (("point", 1, 0), True)


def test_all_at_one_moment_make_a_window_that_is_not_empty() -> None:
    for began, ended in ((None, None), (0, 0), (5, 0)):
        layout = laid_out(span(0, 0, 0), span(1, 0, None), began=began, ended=ended)
        assert layout.window.ends_at > layout.window.starts_at


def test_the_last_moment_of_the_calendar_can_be_shown() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    layout = lay_out([Span(0, None, None, "end", "ok", last, last, is_timed=True)], None, None)
    assert layout is not None
    assert layout.window.ends_at > layout.window.starts_at


def test_a_span_that_names_itself_its_parent_is_a_root() -> None:
    assert order(laid_out(span(0, 0, 1, "a", "a"), span(1, 0, 1, "b", "a"))) == [(0, 0), (1, 1)]


def test_a_ring_of_parents_is_cut_open_at_its_earliest() -> None:
    layout = laid_out(
        span(0, 2, 3, "a", "c"), span(1, 1, 2, "b", "a"), span(2, 0, 1, "c", "b"), span(3, 5, 6, "d", "a")
    )
    assert order(layout) == [(2, 0), (0, 1), (1, 2), (3, 2)]


def test_of_two_with_one_id_the_earlier_has_the_children() -> None:
    layout = laid_out(span(0, 3, 4, "twin"), span(1, 0, 1, "twin"), span(2, 2, 3, "child", "twin"))
    assert order(layout) == [(1, 0), (2, 1), (0, 0)]


def test_thousands_of_spans_one_within_the_other_are_laid_out() -> None:
    most = 5000
    spans = [span(place, place, 2 * most - place, f"s{place}", f"s{place - 1}") for place in range(most)]
    assert order(laid_out(*reversed(spans))) == [(place, place) for place in range(most)]


@pytest.mark.parametrize(
    ("seconds", "after"),
    [
        (0.002, [0, 0.001, 0.002]),
        (0.9, [0, 0.2, 0.4, 0.6, 0.8]),
        (42, [0, 10, 20, 30, 40]),
        (300, [0, 60, 120, 180, 240, 300]),
        (7200, [0, 1800, 3600, 5400, 7200]),
        (86_400 * 10, [0, *(86_400 * days for days in (2, 4, 6, 8, 10))]),
    ],
)
def test_ticks_stand_at_round_times(seconds: float, after: list[float]) -> None:
    layout = laid_out(span(0, 0, seconds))
    assert [tick.after.total_seconds() for tick in layout.ticks] == pytest.approx(after)
    assert [tick.left for tick in layout.ticks] == pytest.approx([moment / seconds for moment in after])


SPANS = st.lists(
    st.tuples(
        st.integers(-100, 100),
        st.none() | st.integers(0, 1000),
        st.sampled_from("abcdef"),
        st.none() | st.sampled_from("abcdefg"),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(SPANS, st.none() | st.integers(-50, 50), st.none() | st.integers(0, 50))
def test_every_span_has_one_row_within_the_window(
    told: list[tuple[int, int | None, str, str | None, bool]], began: int | None, ended: int | None
) -> None:
    spans = [
        span(place, starts, None if length is None else starts + length, own, parent, is_timed=is_timed)
        for place, (starts, length, own, parent, is_timed) in enumerate(told)
    ]
    layout = laid_out(*spans, began=began, ended=ended)
    assert sorted(row.span.place for row in layout.rows) == list(range(len(spans)))
    assert layout.rows[0].depth == 0
    assert all(below.depth <= above.depth + 1 for above, below in pairwise(layout.rows))
    for row in layout.rows:
        assert 0 <= row.left <= 1
        assert row.width >= 0
        assert row.left + row.width <= 1 + 1e-9
    assert 1 <= len(layout.ticks) <= 6
