"""When the pipeline keeps up, and how long it has listened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.pipeline import BEHIND_SECONDS, Listening, Span, Watermark, judge_pipeline

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_MINUTES = st.integers(min_value=0, max_value=300)


def at(minute: float) -> datetime:
    """Return a moment so many minutes after noon."""
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("lag_seconds", "state", "told"),
    [(0, "current", 0), (BEHIND_SECONDS, "current", 30), (BEHIND_SECONDS + 0.1, "behind", 30.1), (-2, "current", 0)],
)
def test_a_pipeline_is_behind_when_its_watermark_is_old(lag_seconds: float, state: str, told: float) -> None:
    pipeline = judge_pipeline(Watermark(NOON - timedelta(seconds=lag_seconds), NOON))
    assert (pipeline.state, pipeline.lag_seconds, pipeline.read_at) == (state, told, NOON)


def test_a_pipeline_without_a_watermark_is_unknown() -> None:
    pipeline = judge_pipeline(Watermark(None, NOON))
    assert (pipeline.state, pipeline.as_of, pipeline.lag_seconds) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("minute", "seconds"),
    [(-5, 20 * 60), (0, 20 * 60), (4, 16 * 60), (10, 10 * 60), (30, 10 * 60), (65, 5 * 60), (70, 0), (80, 0)],
)
def test_only_the_time_within_spans_counts(minute: int, seconds: int) -> None:
    listening = Listening([Span(at(60), at(70)), Span(at(0), at(10))])
    assert listening.seconds_since(at(minute)) == seconds


def test_who_never_listened_heard_nothing_for_no_time() -> None:
    assert Listening([]).seconds_since(NOON) == 0


@given(st.lists(st.tuples(_MINUTES, _MINUTES), max_size=12), _MINUTES)
def test_listening_is_the_number_of_minutes_that_some_span_covers(spans: list[tuple[int, int]], since: int) -> None:
    ordered = [(min(span), max(span)) for span in spans]
    covered = {minute for begin, end in ordered for minute in range(begin, end)}
    listening = Listening(Span(at(begin), at(end)) for begin, end in ordered)
    assert listening.seconds_since(at(since)) == 60 * sum(minute >= since for minute in covered)
