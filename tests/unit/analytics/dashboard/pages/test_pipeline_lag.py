"""What waits for which reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runledger.analytics.dashboard.backstage import BrokerLook
from runledger.analytics.dashboard.pages.pipeline_lag import READERS, ReaderLag, measure_lags
from runledger.analytics.progress import SinkPosition
from runledger.schemas.topics import Topic
from runledger.sinks.records import SOURCES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seen(ends: dict[tuple[str, int], int], processor: dict[tuple[str, int], int]) -> BrokerLook:
    return BrokerLook(ends, dict.fromkeys(ends, 10), {"processor": processor, "scorer": {}}, {})


def of(lags: list[ReaderLag], reader: str, topic: str) -> ReaderLag:
    return next(lag for lag in lags if (lag.reader, lag.topic) == (reader, topic))


def test_the_sink_reads_what_it_says_it_reads() -> None:
    topics: tuple[Topic, ...] = next(topics for worker, _, topics in READERS if worker == "sink")
    assert topics == SOURCES


def test_a_reader_waits_for_what_lies_behind_its_position() -> None:
    ends = {("run-events", 0): 100, ("run-events", 1): 50, ("scoring-jobs", 0): 12}
    positions = [
        SinkPosition("run-events", 0, 70, NOON),
        SinkPosition("run-events", 1, 50, NOON + timedelta(seconds=5)),
    ]
    lags = measure_lags(seen(ends, {("run-events", 0): 99}), positions, {})
    stage = of(lags, "stage 1", "run-events")
    assert [one.waiting for one in stage.partitions] == [1, 40]  # nobody read partition 1: all it holds waits
    assert (stage.waiting, stage.written_at) == (41, None)
    sink = of(lags, "sink", "run-events")
    assert ([one.waiting for one in sink.partitions], sink.waiting) == ([30, 0], 30)
    assert sink.written_at == NOON + timedelta(seconds=5)
    assert [one.number for one in sink.worst] == [0]
    assert of(lags, "scorer", "scoring-jobs").waiting == 2
    assert of(lags, "sink", "runs").waiting is None


def test_markers_of_transactions_that_stand_last_are_nothing_that_waits() -> None:
    ends = {("run-outcomes", 0): 101, ("scoring-jobs", 0): 20}
    held = {("run-outcomes", 0): 100}
    assert of(measure_lags(seen(ends, held), [], ends), "stage 2", "run-outcomes").waiting == 0
    later = {("run-outcomes", 0): 105, ("scoring-jobs", 0): 20}
    lags = measure_lags(seen(later, held), [], ends)
    assert of(lags, "stage 2", "run-outcomes").waiting == 4
    assert of(lags, "scorer", "scoring-jobs").waiting == 10  # the tables do not wait for scorers


def test_without_the_broker_positions_are_told_and_nothing_else() -> None:
    lags = measure_lags(None, [SinkPosition("runs", 0, 70, NOON)], {})
    (partition,) = of(lags, "sink", "runs").partitions
    assert (partition.position, partition.waiting, partition.end) == (70, None, None)
    assert of(lags, "sink", "runs").waiting is None
    assert of(lags, "stage 1", "run-events").partitions == ()
