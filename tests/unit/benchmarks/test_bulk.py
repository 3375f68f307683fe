"""Loads of millions of events, from a template."""

from __future__ import annotations

from collections import Counter

from benchmarks.bulk import Bulk
from benchmarks.load import tokens_of
from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import UsageReported


def test_what_the_template_gives_are_valid_events_of_their_keys() -> None:
    reports = [decode_event(record.value, record.key) for record in Bulk(5).records(range(2, 4))]

    assert Counter(report.run_id for report in reports) == {report.run_id: 2 for report in reports}
    assert len({report.event_id for report in reports}) == 10
    tokens = [report.data.token_usage.input_tokens for report in reports if isinstance(report, UsageReported)]
    assert tokens == [tokens_of(run, turn) for turn in (2, 3) for run in range(5)]


def test_the_event_id_beside_a_record_is_its_own() -> None:
    for record in Bulk(3).records(range(1)):
        assert decode_event(record.value, record.key).event_id == record.event_id
