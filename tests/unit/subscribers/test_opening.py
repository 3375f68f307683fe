"""Where a subscription begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, TopicPartition

from runledger.subscribers.errors import SubscriptionError
from runledger.subscribers.opening import starts_of

Answer = Callable[[TopicPartition], TopicPartition]
SINCE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Broker:
    """Answers where partitions stood at a time."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[int] = []

    def offsets_for_times(self, wanted: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        self.asked += [place.offset for place in wanted]
        return [self._answer(place) for place in wanted]


class Refused(TopicPartition):
    """What a client gives for a partition whose broker did not answer."""

    error = KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)


def starts(broker: Any, since: datetime) -> list[int]:  # noqa: ANN401  # stands in for a consumer
    consumer: Consumer = broker
    return [place.offset for place in starts_of(consumer, "run-events", [0, 1], since, {0: 50, 1: 60})]


def test_a_partition_without_records_since_then_begins_at_its_end() -> None:
    broker = Broker(lambda place: TopicPartition(place.topic, place.partition, (7, -1)[place.partition]))
    assert starts(broker, SINCE) == [7, 60]
    assert broker.asked == [int(SINCE.timestamp() * 1000)] * 2


def test_a_partition_that_does_not_answer_is_not_read_from_its_beginning() -> None:
    broker = Broker(lambda place: Refused(place.topic, place.partition, OFFSET_INVALID))
    with pytest.raises(SubscriptionError, match=r"run-events\[0\]"):
        starts(broker, SINCE)


def test_a_time_before_1970_is_none_of_kafkas_own_words() -> None:
    """A timestamp of -1 asks for the end of the log."""
    broker = Broker(lambda place: TopicPartition(place.topic, place.partition, 0))
    assert starts(broker, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)) == [0, 0]
    assert broker.asked == [0, 0]
