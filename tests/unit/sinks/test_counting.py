from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runledger.sinks.batch import Batch, dead_letter
from runledger.sinks.counting import count_batch
from runledger.sinks.records import Record
from runledger.sinks.rows import EVENT_COLUMNS
from runledger.sinks.vital_signs import SinkSigns
from runledger.vitals import Keeper, VitalsSettings, kept_by


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper("sink", VitalsSettings(metrics_port=None))
    with kept_by(keeper):
        yield keeper


def counted(keeper: Keeper, name: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(keeper.meters.exposition().decode())
    samples = [it for family in families for it in family.samples if it.name == name]
    return {tuple(it.labels[label] for label in sorted(it.labels)): it.value for it in samples}


def record(suffix: str) -> Record:
    return Record("t." + suffix, suffix, 0, 0, datetime(2026, 1, 1, tzinfo=UTC), b"k", b"v")


def event(occurred: timedelta, logged: timedelta) -> Any:  # noqa: ANN401  # a row
    """A row of run_event so old."""
    now = datetime.now(UTC)
    values = dict.fromkeys(EVENT_COLUMNS, "") | {"occurred_at": now - occurred, "logged_at": now - logged}
    return tuple(values[name] for name in EVENT_COLUMNS)


def test_a_transaction_is_counted_by_what_it_read_wrote_and_refused(keeper: Keeper) -> None:
    letter = dead_letter(record("runs"), "not_json", "not JSON")
    batch = Batch(events=[event(timedelta(hours=2), timedelta(seconds=0.3))], dead_letters=[letter])
    batch.scores[UUID(int=1)] = {}
    count_batch([record("runs"), record("runs"), record("run-events")], batch)
    assert counted(keeper, "runledger_records_read_total") == {("runs",): 2, ("run-events",): 1}
    assert counted(keeper, "runledger_rows_written_total") == {("run_event",): 1, ("run_score",): 1}
    assert counted(keeper, "runledger_dead_letters_total") == {("sink", "not_json"): 1}
    assert counted(keeper, "runledger_batch_records_sum") == {("sink",): 3}
    buckets = counted(keeper, "runledger_visible_seconds_bucket")
    assert (buckets["0.25", "logged"], buckets["0.5", "logged"]) == (0, 1)
    assert (buckets["3600.0", "occurred"], buckets["86400.0", "occurred"]) == (0, 1)


@pytest.mark.parametrize(("events", "noted"), [(0, 0), (1, 1), (16, 16), (17, 9), (5000, 16)])
def test_the_latency_of_few_events_is_noted_however_many_there_are(keeper: Keeper, events: int, noted: int) -> None:
    count_batch([], Batch(events=[event(timedelta(), timedelta())] * events))
    assert sum(counted(keeper, "runledger_visible_seconds_count").values()) == 2 * noted


def test_a_clock_ahead_makes_no_latency_negative(keeper: Keeper) -> None:
    count_batch([], Batch(events=[event(timedelta(hours=-1), timedelta(hours=-1))]))
    assert counted(keeper, "runledger_visible_seconds_sum") == {("logged",): 0, ("occurred",): 0}


def test_a_loop_that_waits_for_the_database_makes_attempts_and_says_so() -> None:
    signs = SinkSigns("sink loop")
    (before,) = signs.works()
    signs.away("database_away", "57P01")
    (after,) = signs.works()
    assert after.progress != before.progress
    assert signs.troubles() == {"database_away": "57P01"}
    signs.back()
    assert signs.troubles() == {}


def test_a_long_write_moves_on_with_the_positions() -> None:
    signs = SinkSigns("sink loop")
    signs.stands = {("t.runs", 0): 5}
    (before,) = signs.works()
    signs.stands["t.runs", 0] = 9
    (after,) = signs.works()
    assert after.progress != before.progress
    assert signs.positions() == {("t.runs", 0): 9}
