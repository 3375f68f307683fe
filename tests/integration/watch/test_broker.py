"""What the watch reads from a real broker: ends, positions, and spans without records."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from runledger.schemas.codec import encode
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS
from runledger.watch.broker import Broker
from runledger.watch.probe import Partition
from runledger.watch.settings import WatchSettings

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def broker(topics: ConnectionSettings) -> AsyncIterator[Broker]:
    broker = Broker(WatchSettings(**topics.model_dump()))
    deadline = time.monotonic() + 20
    while True:
        try:
            await broker.ends(ALL_TOPICS)
            break
        except KafkaException:  # a topic that was just made has no leader yet
            assert time.monotonic() < deadline
            broker.forget()
    yield broker
    await broker.close()


@pytest.fixture
def source(topics: ConnectionSettings) -> Partition:
    return RUN_EVENTS.name(topics.topic_prefix), 1


@pytest.fixture
def begin(topics: ConnectionSettings, source: Partition) -> Callable[..., Producer]:
    """Write values in a transaction that is left open."""

    def begin(*values: bytes) -> Producer:
        producer = Producer({"bootstrap.servers": topics.kafka, "transactional.id": f"{topics.topic_prefix}test"})
        producer.init_transactions(20)
        producer.begin_transaction()
        for value in values:
            producer.produce(source[0], value, partition=source[1])
        assert producer.flush(20) == 0
        return producer

    return begin


async def test_ends_are_those_of_every_partition(broker: Broker, topics: ConnectionSettings) -> None:
    name = RUN_EVENTS.name(topics.topic_prefix)
    assert await broker.ends([RUN_EVENTS]) == {(name, number): 0 for number in range(topics.partitions)}
    assert len(await broker.ends([RUN_EVENTS, RUN_OUTCOMES])) == 2 * topics.partitions


async def test_ends_hold_what_stands_in_open_transactions(
    broker: Broker, source: Partition, begin: Callable[..., Producer]
) -> None:
    producer = begin(b"1", b"2")
    assert (await broker.ends([RUN_EVENTS]))[source] == 2
    producer.abort_transaction(20)


async def test_a_span_with_a_record_is_not_empty(
    broker: Broker, source: Partition, begin: Callable[..., Producer]
) -> None:
    begin(b"1", b"2").commit_transaction(20)
    deadline = time.monotonic() + 20
    while (await broker.ends([RUN_EVENTS]))[source] != 3:  # the marker is written after the answer
        assert time.monotonic() < deadline
    assert await broker.find_empty({source: (1, 3)}) == {}


async def test_a_span_of_markers_and_aborted_records_is_empty(
    broker: Broker, source: Partition, begin: Callable[..., Producer]
) -> None:
    begin(b"1").commit_transaction(20)
    begin(b"2", b"3").abort_transaction(20)
    begin(b"4").commit_transaction(20)
    assert await broker.find_empty({source: (1, 5)}) == {source: (1, 5)}
    assert await broker.find_empty({source: (1, 6)}) == {}


async def test_a_span_with_an_open_transaction_is_not_empty_before_its_end(
    broker: Broker, source: Partition, begin: Callable[..., Producer]
) -> None:
    producer = begin(b"1")
    assert await broker.find_empty({source: (0, 1)}) == {}
    producer.abort_transaction(20)
    assert await broker.find_empty({source: (0, 1)}) == {source: (0, 1)}


async def test_positions_are_the_groups_offsets(
    broker: Broker, topics: ConnectionSettings, source: Partition, begin: Callable[..., Producer]
) -> None:
    producer = begin(b"1")
    group = Consumer({"bootstrap.servers": topics.kafka, "group.id": f"{topics.topic_prefix}processors"})
    producer.send_offsets_to_transaction([TopicPartition(*source, 1)], group.consumer_group_metadata(), 20)
    assert not any((await broker.stage_positions(RUN_EVENTS)).values())
    producer.commit_transaction(20)
    deadline = time.monotonic() + 20
    while (await broker.stage_positions(RUN_EVENTS))[source] != 1:  # markers are written after the answer
        assert time.monotonic() < deadline
    group.close()


async def test_positions_come_from_the_stages_own_record_where_the_groups_have_expired(
    broker: Broker, topics: ConnectionSettings, source: Partition
) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka})
    for offset in (7, 9):
        position = Position("runs", source[1], offset, "topic-id", topics.partitions)
        producer.produce(RUN_POSITIONS.name(topics.topic_prefix), encode(position), "runs/1", partition=source[1])
    assert producer.flush(20) == 0
    positions = await broker.stage_positions(RUN_EVENTS)
    assert {name: offset for name, offset in positions.items() if offset} == {source: 9}


async def test_a_broker_that_is_away_is_told_within_the_bound() -> None:
    broker = Broker(WatchSettings(kafka="127.0.0.1:1", request_seconds=1))
    with pytest.raises((KafkaException, TimeoutError)):
        await broker.ends([RUN_EVENTS])
    await broker.close()
