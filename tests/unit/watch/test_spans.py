from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runledger.watch.spans import PipelineSpan, advance

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAUSE = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_the_first_probe_begins_a_span() -> None:
    assert advance(None, AT, PAUSE) == PipelineSpan(AT, AT)


def test_a_later_probe_extends_the_newest_span_up_to_the_pause() -> None:
    assert advance(PipelineSpan(AT, at(10)), at(70), PAUSE) == PipelineSpan(AT, at(70))


def test_after_a_longer_pause_a_new_span_begins_and_the_pause_belongs_to_none() -> None:
    assert advance(PipelineSpan(AT, at(10)), at(70.000001), PAUSE) == PipelineSpan(at(70.000001), at(70.000001))


def test_a_slower_watch_changes_nothing() -> None:
    newest = PipelineSpan(at(50), at(60))
    assert advance(newest, at(60), PAUSE) is None
    assert advance(newest, at(55), PAUSE) is None
    assert advance(newest, at(3), PAUSE) is None


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_the_spans_cover_exactly_the_steps_that_were_no_pause(moments: list[int]) -> None:
    """Probes of several watches arrive in any order; what is covered is what the highest so far says."""
    spans: dict[datetime, datetime] = {}
    highest: int | None = None
    covered = 0
    for moment in moments:
        newest = PipelineSpan(*max(spans.items())) if spans else None
        if (span := advance(newest, at(moment), PAUSE)) is not None:
            spans[span.began_at] = span.reached_at
        if highest is not None and 0 < moment - highest <= 60:
            covered += moment - highest
        highest = moment if highest is None else max(highest, moment)
    assert sum(((end - begin) for begin, end in spans.items()), timedelta(0)) == timedelta(seconds=covered)
    ordered = sorted(spans.items())
    assert all(ended < began for (_, ended), (began, _) in pairwise(ordered))
