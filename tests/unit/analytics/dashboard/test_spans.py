"""What a step says of its time, whoever wrote it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.spans import spans_of
from runledger.analytics.run_steps import Step

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEXTS = (
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "tool",
    "model",
    "status",
    "started_at",
    "ended_at",
    "duration_ms",
)


def step(**told: Any) -> Step:  # noqa: ANN401  # any field
    """Return a step that was reported at noon and tells only what is given."""
    known: dict[str, Any] = {"event_id": "e", "number": 1, "occurred_at": NOON, **dict.fromkeys(TEXTS)}
    return Step(**known | told)


@pytest.mark.parametrize(
    ("told", "starts_at", "ends_at", "is_timed"),
    [
        ({"started_at": "2026-03-01T11:00:00+00:00", "duration_ms": "1500.5"}, -3600, -3598.4995, True),
        ({"started_at": "2026-03-01T13:00:00+02:00", "duration_ms": "0"}, -3600, -3600, True),
        ({"started_at": "2026-03-01T11:00:00", "ended_at": "2026-03-01T11:00:02Z"}, -3600, -3598, True),
        ({"started_at": "2026-03-01T11:00:00Z"}, -3600, None, True),
        ({"started_at": "2026-03-01T11:00:00Z", "ended_at": "2026-03-01T10:00:00Z"}, -3600, -3600, True),
        ({"duration_ms": "1000"}, -1, 0, True),
        ({"ended_at": "2026-03-01T11:00:00Z", "duration_ms": "1000"}, -3601, -3600, True),
        ({"ended_at": "2026-03-01T11:00:00Z"}, -3600, -3600, True),
        ({}, 0, None, False),
        ({"started_at": "yesterday", "duration_ms": "long"}, 0, None, False),
        ({"duration_ms": "-1"}, 0, None, False),
        ({"duration_ms": "inf"}, 0, None, False),
        ({"duration_ms": "1e300"}, 0, None, False),
        ({"started_at": "0001-01-01T00:00:00+10:00"}, 0, None, False),
    ],
)
def test_a_span_takes_its_time_from_what_its_step_tells(
    told: dict[str, str], starts_at: float, ends_at: float | None, is_timed: bool
) -> None:
    [span] = spans_of([step(**told)])
    assert span.starts_at == NOON + starts_at * SECOND
    assert span.ends_at == (None if ends_at is None else NOON + ends_at * SECOND)
    assert span.is_timed is is_timed


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"name": "chat", "tool": "search"}, "chat"),
        ({"name": " ", "tool": "search"}, "search"),
        ({"model": "claude-opus-4", "kind": "llm"}, "claude-opus-4"),
        ({"kind": "llm"}, "llm"),
        ({}, "step 1"),
    ],
)
def test_a_span_is_named_by_what_tells_most(told: dict[str, str], name: str) -> None:
    assert spans_of([step(**told)])[0].name == name


@pytest.mark.parametrize(
    ("status", "state"),
    [("ok", "ok"), ("ERROR ", "error"), ("failed", "error"), ("fine", "unknown"), (None, "unknown")],
)
def test_a_span_has_failed_where_its_step_says_so(status: str | None, state: str) -> None:
    assert spans_of([step(status=status)])[0].state == state


@given(st.fixed_dictionaries(dict.fromkeys(TEXTS, st.none() | st.text(max_size=40))))
def test_whatever_a_step_holds_its_span_ends_after_it_began(told: dict[str, str | None]) -> None:
    [span] = spans_of([step(**told)])
    assert span.name
    assert span.ends_at is None or span.ends_at >= span.starts_at


@given(st.datetimes(), st.floats(allow_nan=True))
def test_times_at_the_ends_of_the_calendar_do_not_break_a_span(moment: datetime, length: float) -> None:
    for name in ("started_at", "ended_at"):
        [span] = spans_of([step(**{name: moment.isoformat(), "duration_ms": repr(length)})])
        assert span.ends_at is None or span.ends_at >= span.starts_at
